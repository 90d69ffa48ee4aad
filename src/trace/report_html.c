/* SPDX-License-Identifier: Apache-2.0 */
/*
 * index.html: for people who are no programmers. One file, no script, no
 * network; both languages are in it and two buttons choose. Page one is the
 * answer in words; definitions, doubts and plots follow. It names releases,
 * never a person.
 */
#include "trace/report_say.h"

#include <math.h>
#include <string.h>

static const char style[] =
    "<style>\n"
    ":root{--ink:#1b2430;--dim:#5c6875;--line:#d9dee4;--blue:#2a5db0;"
    "--pale:#e9eff9;--red:#b3261e;--green:#1b7a43;--amber:#8a5a00}\n"
    "*{box-sizing:border-box}\n"
    "body{font:16px/1.65 'Hiragino Sans','Noto Sans CJK JP','Noto Sans JP',"
    "'Yu Gothic',Meiryo,system-ui,sans-serif;color:var(--ink);margin:0 auto;"
    "max-width:860px;padding:28px 28px 60px;background:#fff}\n"
    "h1{font-size:26px;line-height:1.35;margin:.2em 0 .5em}\n"
    "h2{font-size:20px;margin:2.2em 0 .5em;padding-top:.7em;"
    "border-top:1px solid var(--line)}\n"
    "p{margin:.5em 0}.dim{color:var(--dim);font-size:14px}\n"
    ".lang{float:right;font-size:14px}.lang label{border:1px solid "
    "var(--line);padding:4px 12px;cursor:pointer}\n"
    "input[name=l]{position:absolute;opacity:0}\n"
    "#ja:checked~* .en,#en:checked~* .ja{display:none}\n"
    "#ja:checked~header label[for=ja],#en:checked~header label[for=en]"
    "{background:var(--ink);color:#fff}\n"
    "#ja:focus-visible~header label[for=ja],#en:focus-visible~header "
    "label[for=en]{outline:3px solid var(--blue)}\n"
    ".verdict{border-left:8px solid var(--c);background:var(--pale);"
    "padding:14px 20px;margin:18px 0}\n"
    ".verdict b{display:block;font-size:24px;color:var(--c)}\n"
    ".big{display:flex;flex-wrap:wrap;gap:16px;margin:18px 0}\n"
    ".big div{flex:1 1 180px;border:1px solid var(--line);"
    "padding:10px 16px}.big strong{display:block;font-size:28px;"
    "line-height:1.4;font-variant-numeric:tabular-nums}.big small{"
    "font-size:16px;font-weight:400}\n"
    ".facts th{width:11em;font-size:15px;color:var(--ink)}\n"
    "ol{margin:.4em 0;padding-left:1.6em}li{margin:.3em 0}"
    "h2.next{border:0;padding:0;margin:1em 0 .2em}\n"
    "code{font-size:14px;background:var(--pale);padding:0 .3em}\n"
    "table{border-collapse:collapse;width:100%;margin:.8em 0;"
    "font-variant-numeric:tabular-nums}\n"
    "th,td{text-align:left;vertical-align:top;padding:7px 10px;"
    "border-bottom:1px solid var(--line)}\n"
    "th{font-weight:600;color:var(--dim);font-size:14px}\n"
    "td.n,th.n{text-align:right;white-space:nowrap}"
    "td.k,th.k{white-space:nowrap}\n"
    "svg{display:block;width:100%;height:auto;margin:.6em 0}\n"
    "svg text{font-size:13px;fill:var(--ink)}\n"
    ".ids{overflow-wrap:anywhere}\n"
    "@media print{body{padding:0;max-width:none;font-size:10.5pt;"
    "line-height:1.55}.lang{display:none}h1{margin-top:0;font-size:18pt}"
    ".verdict b{font-size:16pt}.big strong{font-size:18pt}"
    ".big,.verdict{margin:10px 0}th,td{padding:4px 8px}"
    "h2{font-size:13pt;break-after:avoid;margin-top:1.2em}"
    "tr,svg,.verdict,.big,li{break-inside:avoid}.page{break-before:page;"
    "border:0;margin-top:0}*{print-color-adjust:exact;"
    "-webkit-print-color-adjust:exact}}\n"
    "@page{size:A4;margin:13mm}\n"
    "</style>\n";

static void
funnel(FILE *f, const struct trace_result *r)
{
	const struct {
		const char *ja, *en, *ja_def, *en_def;
		struct estimate e;
		bool show;
	} v[] = {
		{"行", "Rows", "名簿のデータ行（見出しを除く）。",
		    "Data rows of the list, without its header.", r->rows,
		    true},
		{"完全に同じ行", "Exact duplicates",
		    "先に出た行と、文字コードや引用符を除いて同じ内容の行。",
		    "Rows whose content has occurred before, encoding and quotes "
		    "aside.", r->exact_duplicates, true},
		{"記録", "Records",
		    "表記の違う同じ人の行を名寄せした後の件数（保護者は数えない）。",
		    "After merging rows that mean the same person, guardians not "
		    "counted.", r->records, true},
		{"人", "Persons",
		    "名簿に現れる別々の人の数。保護者と子が一行にあれば二人。",
		    "Different people on the list. A guardian and a child in one "
		    "row are two.", r->persons, true},
		{"当社の人", "Ours", "そのうち、当社の記録の人と一致した人。",
		    "Those of them who match a person in our records.",
		    r->persons_ours, true},
		{"当社だけの人", "Ours only", "そのうち、比較用の名簿にはいない人。",
		    "Those of them who are not in the background list.",
		    r->only_ours, r->has_background},
		{"電話が通じる記録", "Reached by phone",
		    "架電調査で通じた割合を記録数に掛けた推計。名寄せとは別の数え方。",
		    "Records times the share of a call sample that was reached: "
		    "another way of counting.", r->reach, r->has_reach},
	};
	double most = fmax(1, fmax(r->rows.estimate, r->persons.estimate));
	unsigned y = 0;
	char n[32];

	heading(f, " class=page", "1. 何件で、何人か", "1. How many");
	for (size_t i = 0; i < sizeof v / sizeof v[0]; i++)
		y += v[i].show;
	fprintf(f, "<svg viewBox=\"0 0 800 %u\" role=img aria-label=\"件数の内訳 / numbers by stage; the table below has them too\">", y * 34 + 4);
	y = 0;
	for (size_t i = 0; i < sizeof v / sizeof v[0]; i++) {
		double w = v[i].e.estimate / most * 470;

		if (!v[i].show)
			continue;
		fprintf(f, "<text x=178 y=%u text-anchor=end class=ja>%s</text>"
		    "<text x=178 y=%u text-anchor=end class=en>%s</text>"
		    "<rect x=190 y=%u width=%.1f height=22 fill=\"%s\"/>"
		    "<text x=%.1f y=%u>%s</text>", y + 19, v[i].ja, y + 19,
		    v[i].en, y + 4, w > 1 ? w : 1, i == 1 ? "#b9c3cf" : i < 4 ?
		    "#7d9bcc" : "#2a5db0", 198 + w, y + 19, number(n,
		    v[i].e.estimate));
		y += 34;
	}
	fputs("</svg>\n<table><thead><tr><th>", f);
	say(f, "段階", "stage");
	fputs("<th class=n>", f);
	say(f, "推計", "estimate");
	fputs("<th class=n>", f);
	say(f, "95 % 区間", "95 % interval");
	fputs("<th>", f);
	say(f, "意味", "what it means");
	fputs("</thead>", f);
	for (size_t i = 0; i < sizeof v / sizeof v[0]; i++) {
		if (!v[i].show)
			continue;
		fputs("<tr><td class=k>", f);
		say(f, v[i].ja, v[i].en);
		fprintf(f, "<td class=n>%s<td class=n>", number(n,
		    v[i].e.estimate));
		range(f, v[i].e);
		fputs("<td>", f);
		say(f, v[i].ja_def, v[i].en_def);
	}
	fputs("</table>\n", f);
}

static void
evidence(FILE *f, const struct trace_result *r)
{
	char n[32], m[32];
	uint64_t rare = r->rare_same + r->rare_other;

	heading(f, "", "2. 判定の根拠", "2. Why we say so");
	fputs("<table>", f);
	fputs("<tr><td>", f);
	say(f, "照合に足りる項目がある人", "people who say enough to be compared");
	fprintf(f, "<td class=n>%s / %s", number(n, (double)r->comparable),
	    number(m, (double)r->link.npersons));
	fputs("<tr><td>", f);
	say(f, "当社の記録と一致した人の割合",
	    "share of people who match our records");
	fprintf(f, "<td class=n>%.1f %%", percent(r->persons_ours.estimate,
	    r->persons.estimate));
	if (r->has_canaries) {
		fputs("<tr><td>", f);
		say(f, "おとり（当社だけが持つ架空の人）の一致。一つでもあれば"
		    "決め手です", "decoys hit: made-up people that only we hold. "
		    "One is enough");
		fprintf(f, "<td class=n>%s / %s<br><span class=dim>",
		    number(n, (double)r->canaries_hit), number(m,
		    (double)r->canaries));
		number(n, floor((double)r->canaries *
		    r->persons_ours.estimate / ((double)r->ours.nrows + 1) +
		    .5));
		fprintf(f, "<span class=ja lang=ja>無作為なら約 %s 件</span>"
		    "<span class=en lang=en>about %s if drawn at random</span>"
		    "</span>", n, n);
	}
	fputs("<tr><td>", f);
	say(f, "珍しい字体（髙・﨑・邉など）が当社の登録どおりのもの",
	    "rare forms of characters (髙, 﨑, 邉) spelled as we have them");
	fprintf(f, "<td class=n>%s / %s<br><span class=dim>%+.0f bit</span>",
	    number(n, (double)r->rare_same), number(m, (double)rare),
	    r->rare_bits);
	if (r->pairs_same + r->pairs_other) {
		fputs("<tr><td>", f);
		say(f, "当社の人の保護者が、当社の登録と同じ（組み合わせは外から"
		    "知りにくい）", "our people's guardians as we have them: who "
		    "belongs to whom is hard to know from outside");
		fprintf(f, "<td class=n>%s / %s", number(n,
		    (double)r->pairs_same), number(m, (double)(r->pairs_same +
		    r->pairs_other)));
	}
	if (r->has_history) {
		fputs("<tr><td>", f);
		say(f, "当社に過去にだけあった値（旧住所・旧姓など）の一致",
		    "values that we held only in the past (former addresses)");
		fprintf(f, "<td class=n>%s", number(n, (double)r->stale));
	}
	if (r->has_background) {
		fputs("<tr><td>", f);
		say(f, "比較用の名簿にはいない当社の人",
		    "our people who are not in the background list");
		fprintf(f, "<td class=n>%s", number(n,
		    r->only_ours.estimate));
	}
	fputs("</table>\n", f);
	para(f, " class=dim", "他社が独自に集めた名簿なら、珍しい字体はほぼ半分が"
	    "普通の字になります。bit は、その差が当社由来をどれだけ支持するかの"
	    "量です（10 bit で千倍、負なら反対の証拠）。",
	    "Who collects names on his own writes about half of the rare forms "
	    "in the common way. Bits say how much the difference speaks for us: "
	    "10 bits are a thousandfold; negative bits speak against.");
}

static void
services(FILE *f, const struct trace_result *r)
{
	char n[32];

	heading(f, "", "3. どのサービス・表から",
	    "3. From which service or table");
	if (r->nservices == 0) {
		para(f, "", "当社側のデータにサービスや表を示す列がないため、"
		    "分けられません。", "Our data has no column that names a "
		    "service or table, so this cannot be told.");
		return;
	}
	fputs("<table>", f);
	for (unsigned i = 0; i < r->nservices; i++) {
		fputs("<tr><td>", f);
		esc(f, r->service[i].name);
		fprintf(f, "<td class=n>%s", number(n,
		    (double)r->service[i].persons));
	}
	fputs("</table>\n", f);
}

static void
group(FILE *f, const struct trace_result *r, size_t g)
{
	const struct release_group *x = &r->attribution.group[g];
	char n[32], m[32];

	fprintf(f, "<tr><td class=n>%zu<td class=ids>", g + 1);
	for (size_t i = 0; i < x->n && i < 8; i++) {
		if (i)
			fputs(", ", f);
		esc(f, r->release[x->release[i]].id);
	}
	if (x->n > 8)
		fprintf(f, " … (%zu)", x->n);
	fprintf(f, "<td class=n>%s / %s<br><span class=dim>%.1f %%</span>"
	    "<td class=n>%.0f<td class=n>", number(n, (double)x->found),
	    number(m, (double)x->subjects), percent((double)x->found,
	    (double)x->subjects), x->against_next);
	if (x->explains)
		chance(f, x->chance_wrong);
	else
		say(f, "説明にならない", "does not explain it");
}

static void
overlap(FILE *f, const struct trace_result *r)
{
	size_t n = r->attribution.n < 8 ? r->attribution.n : 8;

	if (n < 2)
		return;
	para(f, "", "上位の抽出どうしの重なり（行の抽出のうち、列の抽出にも"
	    "含まれる人の割合）", "How the first extractions overlap: share of "
	    "the row's people who are in the column's too");
	fprintf(f, "<svg viewBox=\"0 0 800 %zu\" role=img aria-label=\"抽出の"
	    "重なり / overlap of extractions\">", n * 30 + 34);
	for (size_t a = 0; a < n; a++) {
		fprintf(f, "<text x=110 y=%zu text-anchor=end>", a * 30 + 50);
		esc(f, r->release[r->attribution.group[a].release[0]].id);
		fprintf(f, "</text><text x=%zu y=22 text-anchor=middle>",
		    a * 80 + 160);
		esc(f, r->release[r->attribution.group[a].release[0]].id);
		fputs("</text>", f);
		for (size_t b = 0; b < n; b++)
			fprintf(f, "<rect x=%zu y=%zu width=76 height=26 "
			    "fill=\"#2a5db0\" fill-opacity=\"%.3f\"/>"
			    "<text x=%zu y=%zu text-anchor=middle%s>%.0f %%"
			    "</text>", b * 80 + 122, a * 30 + 32,
			    r->overlap[a][b] * .9 + .04, b * 80 + 160,
			    a * 30 + 50, r->overlap[a][b] > .6 ?
			    " style=\"fill:#fff\"" : "",
			    100 * r->overlap[a][b]);
	}
	fputs("</svg>\n", f);
}

static void
releases(FILE *f, const struct trace_result *r)
{
	heading(f, "", "4. どの抽出か", "4. By which extraction");
	if (!r->has_releases) {
		para(f, "", "抽出の記録が与えられていないため、判定していません。",
		    "No record of extractions was given.");
		return;
	}
	if (!explained(r))
		para(f, "", "<strong>この名簿を説明できる抽出は、記録の中に"
		    "ありません。</strong>下の表は最も近かったものですが、根拠には"
		    "なりません。", "<strong>No recorded extraction explains this "
		    "list.</strong> The table shows what came closest; it is no "
		    "evidence.");
	if (r->attribution.n == 0)
		return;
	fputs("<table><thead><tr><th class=n><th>", f);
	say(f, "抽出（同じ行のものは区別できない）",
	    "extractions (those in one row cannot be told apart)");
	fputs("<th class=n>", f);
	say(f, "名簿にいる人<br>/ 抽出の人", "found /<br>extracted");
	fputs("<th class=n>", f);
	say(f, "次点との差<br>（対数尤度）", "over the next<br>(log likelihood)");
	fputs("<th class=n>", f);
	say(f, "誤りの確率", "chance of<br>being wrong");
	fputs("</thead>", f);
	for (size_t g = 0; g < r->attribution.n; g++)
		group(f, r, g);
	fputs("</table>\n", f);
	fprintf(f, "<p class=dim>");
	say(f, "これは「どの抽出で説明できるか」であり、誰が行ったかの判断では"
	    "ありません。", "This says which extraction explains the list, not "
	    "who did it.");
	fprintf(f, " <span class=ja>調べた抽出 %zu 件、ばらつき係数 %.1f、"
	    "抽出内の出現率 %.1f %%、抽出外 %.2f %%。</span><span class=en>"
	    "%zu extractions examined, overdispersion %.1f, rate inside %.1f "
	    "%%, outside %.2f %%.</span></p>\n", r->nreleases,
	    r->attribution.phi, 100 * r->attribution.rate_in,
	    100 * r->attribution.rate_out, r->nreleases, r->attribution.phi,
	    100 * r->attribution.rate_in, 100 * r->attribution.rate_out);
	overlap(f, r);
}

static void
when(FILE *f, const struct trace_result *r)
{
	const struct trace_window *w = &r->window;
	char n[32];

	heading(f, "", "5. いつのデータか", "5. When");
	if (!r->has_history || w->values == 0) {
		para(f, "", "値の履歴がないか、名簿に時期を示す値がないため、"
		    "期間は言えません。", "No history of values was given, or the "
		    "list has no value that tells.");
		return;
	}
	fputs("<p>", f);
	say(f, "名簿の値は、当社が次の期間に持っていたものです：",
	    "We had the list's values in this period: ");
	fputs("<strong>", f);
	esc(f, w->from[0] ? w->from : "…");
	fputs(" – ", f);
	esc(f, w->to[0] ? w->to : "…");
	fprintf(f, "</strong> <span class=dim>(%s <span class=ja>個の値による"
	    "</span><span class=en>values</span>)</span></p>\n", number(n,
	    (double)w->values));
}

static void
items(FILE *f, const struct trace_result *r)
{
	heading(f, "", "6. どの項目が含まれていたか", "6. Which items were in it");
	fputs("<table><thead><tr><th>", f);
	say(f, "項目", "item");
	fputs("<th>", f);
	say(f, "この名簿に", "in this list");
	fputs("<th>", f);
	say(f, "当社のデータに", "in our data");
	fputs("<th class=n>", f);
	say(f, "記入率", "filled in");
	fputs("</thead>", f);
	for (unsigned i = 0; i < r->nitems; i++) {
		fputs("<tr><td>", f);
		kind_text(f, &r->item[i]);
		fputs("<td>", f);
		if (r->item[i].in_list)
			say(f, "<b>含まれていた</b>", "<b>yes</b>");
		else if (r->unread_columns)
			say(f, "その列はない（下の注意）",
			    "no such column (see below)");
		else
			say(f, "含まれていない", "no, certainly not");
		fputs("<td>", f);
		if (r->item[i].in_ours)
			say(f, "ある", "yes");
		else
			say(f, "ない", "no");
		if (r->item[i].in_list)
			fprintf(f, "<td class=n>%.1f %%", 100 *
			    r->item[i].filled);
		else
			fputs("<td class=n>–", f);
	}
	fputs("</table>\n", f);
	if (r->unread_columns)
		para(f, " class=dim", "意味の分からない列があります（8 節の「読まない"
		    "列」）。その中に別の項目が書かれている可能性は残ります。人が"
		    "見て確かめるまで「含まれていない」と言い切れません。",
		    "Some columns were not understood (section 8). Other items may "
		    "be written in them; until somebody has looked, nothing is "
		    "certainly absent.");
}

/* Weights of the candidate pairs; the threshold is where odds are even. */
static void
scores(FILE *f, const struct trace_result *r)
{
	const uint32_t *h = r->link.histogram[0];
	double most = 1, at, n = (double)r->ours.nmentions;
	double share = r->link.prior;
	unsigned lo = 16;

	if (!r->ours.nrows)
		return;
	heading(f, "", "7. 一致の強さの分布", "7. How strong the matches are");
	for (unsigned i = 0; i < 64; i++)
		if (h[i] > most)
			most = h[i];
	if (most <= 1) {
		para(f, "", "当社の人と似た人は、名簿に一人もいませんでした。",
		    "Nobody on the list comes near anybody of ours.");
		return;
	}
	while (lo > 0 && h[lo - 1])
		lo--;
	fputs("<svg viewBox=\"0 0 800 230\" role=img aria-label=\"一致の強さの"
	    "分布 / how strong the matches are\"><line x1=36 y1=190 x2=716 "
	    "y2=190 stroke=\"#5c6875\"/>", f);
	for (unsigned i = lo; i < 64; i++) {
		double y = h[i] ? log10(1 + h[i]) / log10(1 + most) * 165 : 0;

		if (y > 0)
			fprintf(f, "<rect x=%.1f y=%.1f width=11 height=%.1f "
			    "fill=\"#7d9bcc\"/>", 40 + (i - lo) * 14.0, 190 - y,
			    y);
	}
	at = share > 0 && share < 1 ? log2(n * (1 - share) / share + 1) : 0;
	at = 40 + (at / 2 + 16 - lo) * 14;
	fprintf(f, "<line x1=%.1f y1=4 x2=%.1f y2=190 stroke=\"#b3261e\" "
	    "stroke-width=2 stroke-dasharray=\"5 4\"/>"
	    "<text x=%.1f y=14 style=\"fill:#b3261e\" class=ja>これより右を一致"
	    "とした →</text><text x=%.1f y=14 style=\"fill:#b3261e\" class=en>"
	    "accepted to the right →</text>", at, at, at + 6, at + 6);
	for (unsigned i = lo; i < 64; i += 8)
		fprintf(f, "<text x=%.1f y=208 text-anchor=middle>%d</text>",
		    45 + (i - lo) * 14.0, ((int)i - 16) * 2);
	fputs("<text x=380 y=226 text-anchor=middle class=ja>一致の重み（bit）。"
	    "高さは組の数（対数目盛）</text><text x=380 y=226 "
	    "text-anchor=middle class=en>weight of a pair in bits; "
	    "height: number of pairs, logarithmic</text></svg>\n", f);
	para(f, " class=dim", "名簿の人と当社の人を組にし、どれだけ似ているかを並べた"
	    "図です。赤い線のすぐ近くに組が少ないほど、判定は確かです。",
	    "Pairs of a person on the list and one of ours, by how much they "
	    "agree. The fewer pairs are near the red line, the surer the "
	    "matching.");
}

static void
row_of(FILE *f, const char *ja, const char *en)
{
	fputs("<tr><td class=k>", f);
	say(f, ja, en);
	fputs("<td class=ids>", f);
}

static void
columns(FILE *f, const struct columns *c)
{
	for (unsigned i = 0; i < c->n; i++) {
		struct trace_item it = {.kind = (int)i == c->key ? COL_KEY :
		    c->kind[i]};

		if (i)
			say(f, "、", ", ");
		esc(f, c->name[i]);
		fputs(" = ", f);
		if (it.kind == COL_NONE)
			say(f, "<b>読まない列</b>", "<b>not understood</b>");
		else
			kind_text(f, &it);
	}
}

static void
encodings(FILE *f, const struct table *t)
{
	static const char *const name[ENC_COUNT] = {"ASCII", "UTF-8", "CP932",
	    "EUC-JP"};
	const char *sep = "";
	char n[32];

	if (t->made.utf16) {
		fputs("UTF-16", f);
		return;
	}
	for (unsigned e = 0; e < ENC_COUNT; e++) {
		if (!t->encodings[e])
			continue;
		fprintf(f, "%s%s: %s", sep, name[e], number(n,
		    (double)t->encodings[e]));
		sep = ", ";
	}
}

static void
issues(FILE *f, const struct table *t, const char *ja, const char *en)
{
	char n[32];

	for (unsigned k = 0; k < ISSUE_COUNT; k++) {
		if (!t->issue[k])
			continue;
		fputs("<tr><td class=k>", f);
		say(f, ja, en);
		fputs("<td>", f);
		say(f, row_issue_text(k, true), row_issue_text(k, false));
		fprintf(f, "<td class=n>%s<td>", number(n,
		    (double)t->issue[k]));
		for (unsigned i = 0; i < ISSUE_ROWS && i < t->issue[k]; i++)
			fprintf(f, "%s%u", i ? ", " : "", t->issue_row[k][i]);
		if (t->issue[k] > ISSUE_ROWS)
			fputs(" …", f);
	}
}

static void
remarks(FILE *f, const struct trace_result *r, const struct trace_options *o)
{
	uint64_t unknown = r->unknown_subjects + r->unknown_canaries +
	    r->unknown_history;
	char n[32], m[32];

	heading(f, "", "8. 入力についての注記", "8. Remarks on the input");
	fputs("<table>", f);
	row_of(f, "名簿", "list");
	esc(f, o->list);
	if (*r->list_sha256)
		fprintf(f, "<br><span class=dim>SHA-256 %s</span>",
		    r->list_sha256);
	row_of(f, "文字コード（行数）", "encodings (rows)");
	encodings(f, &r->list);
	if (!o->schema) {
		row_of(f, "名簿の列の読み方", "columns of the list");
		columns(f, &r->list.cols);
	}
	if (r->ours.nrows) {
		row_of(f, "当社側", "ours");
		esc(f, o->ours_name ? o->ours_name : "");
		number(n, (double)r->ours.nrows);
		fprintf(f, " <span class=ja lang=ja>（%s 行）</span><span class=en "
		    "lang=en>(%s rows)</span>", n, n);
		if (!o->schema) {
			row_of(f, "当社側の列の読み方", "columns of ours");
			columns(f, &r->ours.cols);
		}
	}
	if (unknown) {
		row_of(f, "当社側にない番号", "keys not in ours");
		number(n, (double)unknown);
		fprintf(f, "<span class=ja lang=ja>抽出の記録・おとり・履歴の %s 行が、"
		    "当社側にない番号を指していました（数えていません）。</span>"
		    "<span class=en lang=en>%s rows of releases, decoys or history "
		    "name keys that ours does not have; they do not count."
		    "</span>", n, n);
	}
	fputs("</table><table><thead><tr><th><th>", f);
	say(f, "見つかった問題（いずれも捨てずに読んだ）",
	    "what was found (nothing was dropped)");
	fputs("<th class=n>", f);
	say(f, "行数", "rows");
	fputs("<th>", f);
	say(f, "最初の行番号", "first row numbers");
	fputs("</thead>", f);
	issues(f, &r->list, "名簿", "list");
	issues(f, &r->ours, "当社側", "ours");
	fputs("</table>\n", f);
	fprintf(f, "<p class=dim><span class=ja>比較した組 %s。大きすぎて全組を"
	    "比べなかった塊 %s（名前順の近隣だけを比較）。</span><span "
	    "class=en>%s pairs compared. %s blocks were too large to compare all "
	    "pairs; there only neighbours in name order were.</span></p>\n",
	    number(n, (double)r->link.pairs), number(m,
	    (double)r->link.capped_blocks), n, m);
}

enum err
report_html(const struct trace_result *r, const struct trace_options *o,
    const char *path)
{
	FILE *f = fopen(path, "w");
	bool bad;

	if (!f)
		return ERR_IO;
	fputs("<!doctype html>\n<html lang=ja>\n<meta charset=utf-8>\n"
	    "<meta name=viewport content=\"width=device-width\">\n"
	    "<title>出回った名簿の調査結果 / Where this list came from</title>\n",
	    f);
	fputs(style, f);
	fputs("<input type=radio name=l id=ja checked aria-label=\"日本語\">"
	    "<input type=radio name=l id=en aria-label=\"English\">\n"
	    "<header><div class=lang><label for=ja>日本語</label>"
	    "<label for=en>English</label></div></header>\n<main>\n", f);
	report_answer(f, r, o);
	funnel(f, r);
	if (r->ours.nrows) {
		evidence(f, r);
		services(f, r);
		releases(f, r);
		when(f, r);
	}
	items(f, r);
	scores(f, r);
	remarks(f, r, o);
	fputs("</main>\n", f);
	bad = ferror(f);
	return fclose(f) != 0 || bad ? ERR_IO : ERR_OK;
}
