/* SPDX-License-Identifier: Apache-2.0 */
/*
 * index.html: for people who are no programmers. One file, no script, no
 * network; both languages are in it and two buttons choose. Page one is the
 * answer in words; definitions, doubts and plots follow. It names releases,
 * never a person.
 */
#include "trace/trace.h"

#include <math.h>
#include <stdio.h>
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
    ".big div{flex:1 1 200px;border:1px solid var(--line);"
    "padding:12px 16px}.big strong{display:block;font-size:28px;"
    "font-variant-numeric:tabular-nums}\n"
    "table{border-collapse:collapse;width:100%;margin:.8em 0;"
    "font-variant-numeric:tabular-nums}\n"
    "th,td{text-align:left;vertical-align:top;padding:7px 10px;"
    "border-bottom:1px solid var(--line)}\n"
    "th{font-weight:600;color:var(--dim);font-size:14px}\n"
    "td.n,th.n{text-align:right;white-space:nowrap}\n"
    "svg{display:block;width:100%;height:auto;margin:.6em 0}\n"
    "svg text{font-size:13px;fill:var(--ink)}\n"
    ".ids{overflow-wrap:anywhere}\n"
    "@media print{body{padding:0;max-width:none;font-size:11.5pt}.lang{"
    "display:none}h1{margin-top:0}h2{break-after:avoid;margin-top:1.3em}table,svg,.verdict,.big{"
    "break-inside:avoid}.page{break-before:page}}\n"
    "@page{size:A4;margin:14mm}\n"
    "</style>\n";

static void
esc(FILE *f, const char *s)
{
	for (; *s; s++) {
		if (*s == '<')
			fputs("&lt;", f);
		else if (*s == '>')
			fputs("&gt;", f);
		else if (*s == '&')
			fputs("&amp;", f);
		else if (*s == '"')
			fputs("&quot;", f);
		else
			fputc(*s, f);
	}
}

/* One text in both languages. */
static void
say(FILE *f, const char *ja, const char *en)
{
	fprintf(f, "<span class=ja lang=ja>%s</span>"
	    "<span class=en lang=en>%s</span>", ja, en);
}

static void
heading(FILE *f, const char *extra, const char *ja, const char *en)
{
	fprintf(f, "<h2%s>", extra);
	say(f, ja, en);
	fputs("</h2>\n", f);
}

static void
para(FILE *f, const char *class, const char *ja, const char *en)
{
	fprintf(f, "<p%s>", class);
	say(f, ja, en);
	fputs("</p>\n", f);
}

/* 35,040,000 */
static const char *
number(char out[32], double v)
{
	char d[32];
	size_t n, o = 0;

	snprintf(d, sizeof d, "%.0f", v < 0 ? 0 : v);
	n = strlen(d);
	for (size_t i = 0; i < n; i++) {
		if (i && (n - i) % 3 == 0)
			out[o++] = ',';
		out[o++] = d[i];
	}
	out[o] = '\0';
	return out;
}

static void
range(FILE *f, struct estimate e)
{
	char a[32], b[32];

	if (floor(e.low) >= ceil(e.high)) {
		say(f, "確定値", "exact");
		return;
	}
	number(a, floor(e.low));
	number(b, ceil(e.high));
	fprintf(f, "<span class=ja>%s～%s</span><span class=en>%s to %s</span>",
	    a, b, a, b);
}

static double
percent(double part, double all)
{
	return all > 0 ? 100 * part / all : 0;
}

static const struct release_group *
explained(const struct trace_result *r)
{
	return r->attribution.n && r->attribution.group[0].explains ?
	    &r->attribution.group[0] : NULL;
}

static void
chance(char *out, size_t cap, double p)
{
	if (p < 1e-6)
		snprintf(out, cap, "1/1,000,000");
	else {
		char n[32];

		snprintf(out, cap, "1/%s", number(n, floor(1 / p)));
	}
}

/* The extractions in words: one, or several that together explain the list. */
static void
explanation(FILE *f, const struct trace_result *r)
{
	double wrong = 0;
	char p[48];

	fputs("<p>", f);
	say(f, "最もよく説明する持ち出し（抽出）：",
	    "The extraction that explains it best: ");
	for (size_t i = 0; i < r->attribution.n; i++) {
		const struct release_group *g = &r->attribution.group[i];

		if (!g->explains)
			continue;
		if (i)
			say(f, "と ", " together with ");
		fputs("<strong class=ids>", f);
		esc(f, r->release[g->release[0]].id);
		fputs("</strong>", f);
		if (g->n > 1)
			fprintf(f, "<span class=ja lang=ja>（またはこれと区別の"
			    "つかない %zu 件のどれか）</span><span class=en "
			    "lang=en> (or one of %zu that cannot be told from "
			    "it)</span>", g->n - 1, g->n - 1);
		wrong += g->chance_wrong;
	}
	chance(p, sizeof p, wrong);
	fprintf(f, "<span class=ja lang=ja>。これが誤りである確率はおよそ %s "
	    "です。</span><span class=en lang=en>. The chance that this is "
	    "wrong is about %s.</span></p>", p, p);
}

static void
verdict(FILE *f, const struct trace_result *r)
{
	static const char *const color[] = {"--red", "--green", "--amber"};
	char n[32], m[32];
	const struct release_group *g = explained(r);
	double share = percent(r->persons_ours.estimate, r->persons.estimate);

	fprintf(f, "<div class=verdict style=\"--c:var(%s)\"><b>",
	    color[r->verdict]);
	switch (r->verdict) {
	case VERDICT_OURS:
		say(f, "この名簿には、当社の保有データから出たものが含まれています",
		    "This list contains data that came from us");
		break;
	case VERDICT_NOT_OURS:
		say(f, "この名簿は、当社の保有データから出たものではありません",
		    "This list did not come from our data");
		break;
	case VERDICT_UNCLEAR:
		say(f, "当社から出たものかどうか、まだ断定できません",
		    "It cannot be said yet whether this list came from us");
		break;
	}
	fputs("</b>", f);
	number(n, r->persons.estimate);
	number(m, r->persons_ours.estimate);
	fprintf(f, "<p><span class=ja lang=ja>名簿に載っている約 %s 人のうち、"
	    "約 %s 人（%.1f %%）が当社の記録にある人です。</span>"
	    "<span class=en lang=en>Of about %s people on the list, about %s "
	    "(%.1f %%) are in our records.</span></p>", n, m, share, n, m,
	    share);
	if (g) {
		explanation(f, r);
	} else if (r->has_releases)
		para(f, "", "記録されている抽出の中に、この名簿を説明できるものは"
		    "ありません。", "None of the recorded extractions explains "
		    "this list.");
	fputs("</div>\n", f);
}

static void
numbers(FILE *f, const struct trace_result *r)
{
	const struct {
		const char *ja, *en;
		struct estimate e;
	} v[] = {
		{"名簿の行数", "rows in the list", r->rows},
		{"載っている人", "people on it", r->persons},
		{"うち当社の人", "of them ours", r->persons_ours},
	};
	char n[32];

	fputs("<div class=big>", f);
	for (size_t i = 0; i < 3; i++) {
		fputs("<div>", f);
		say(f, v[i].ja, v[i].en);
		fprintf(f, "<strong>%s</strong><span class=dim>",
		    number(n, v[i].e.estimate));
		range(f, v[i].e);
		fputs("</span></div>", f);
	}
	fputs("</div>\n", f);
	para(f, " class=dim", "範囲は、真の値が 95 % の確かさで入る区間です。",
	    "A range holds the true number with 95 % confidence.");
}

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
	double most = r->rows.estimate > 0 ? r->rows.estimate : 1;
	unsigned y = 0;
	char n[32];

	heading(f, "", "1. 何件で、何人か", "1. How many");
	for (size_t i = 0; i < sizeof v / sizeof v[0]; i++)
		y += v[i].show;
	fprintf(f, "<svg viewBox=\"0 0 800 %u\" role=img>", y * 34 + 4);
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
	fputs("</svg>\n<table><tr><th>", f);
	say(f, "段階", "stage");
	fputs("<th class=n>", f);
	say(f, "推計", "estimate");
	fputs("<th class=n>", f);
	say(f, "95 % 区間", "95 % interval");
	fputs("<th>", f);
	say(f, "意味", "what it means");
	for (size_t i = 0; i < sizeof v / sizeof v[0]; i++) {
		if (!v[i].show)
			continue;
		fputs("<tr><td>", f);
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

	heading(f, "", "2. なぜ当社のものと言えるか（言えないか）",
	    "2. Why we say so");
	fputs("<table>", f);
	fprintf(f, "<tr><td>");
	say(f, "当社の記録と一致した人の割合",
	    "share of people who match our records");
	fprintf(f, "<td class=n>%.1f %%", percent(r->persons_ours.estimate,
	    r->persons.estimate));
	if (r->has_canaries) {
		fputs("<tr><td>", f);
		say(f, "おとり（当社だけが知る架空の記録）の一致",
		    "decoys hit: made-up records that only we hold");
		fprintf(f, "<td class=n>%s / %s", number(n,
		    (double)r->canaries_hit), number(m, (double)r->canaries));
	}
	fputs("<tr><td>", f);
	say(f, "珍しい字体（髙・﨑・邉など）が当社の登録どおりのもの",
	    "rare forms of characters (髙, 﨑, 邉) spelled as we have them");
	fprintf(f, "<td class=n>%s / %s<br><span class=dim>%+.0f bit</span>",
	    number(n, (double)r->rare_same), number(m, (double)rare),
	    r->rare_bits);
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
	char n[32], m[32], p[48];

	chance(p, sizeof p, x->chance_wrong);
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
		fputs(p, f);
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
	fprintf(f, "<svg viewBox=\"0 0 800 %zu\" role=img>", n * 30 + 34);
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
	fputs("<table><tr><th class=n><th>", f);
	say(f, "抽出（同じ行のものは互いに区別できない）",
	    "extractions (those in one row cannot be told apart)");
	fputs("<th class=n>", f);
	say(f, "名簿にいる人 / 抽出の人", "found / extracted");
	fputs("<th class=n>", f);
	say(f, "次点との対数尤度差", "log likelihood over the next");
	fputs("<th class=n>", f);
	say(f, "誤りの確率", "chance of being wrong");
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
kind_text(FILE *f, const struct trace_item *it)
{
	static const char *const ja[] = {
#define COL(id, name, j, e) j,
		COLUMN_KINDS(COL)
#undef COL
	};
	static const char *const en[] = {
#define COL(id, name, j, e) e,
		COLUMN_KINDS(COL)
#undef COL
	};

	if (it->kind == COL_NONE)
		esc(f, it->name);
	else
		say(f, ja[it->kind], en[it->kind]);
}

static void
items(FILE *f, const struct trace_result *r)
{
	heading(f, "", "6. どの個人情報が含まれていたか",
	    "6. Which personal items were in it");
	fputs("<table><tr><th>", f);
	say(f, "項目", "item");
	fputs("<th>", f);
	say(f, "名簿に", "in the list");
	fputs("<th class=n>", f);
	say(f, "記入率", "filled in");
	for (unsigned i = 0; i < r->nitems; i++) {
		fputs("<tr><td>", f);
		kind_text(f, &r->item[i]);
		fputs("<td>", f);
		if (r->item[i].in_list)
			say(f, "<b>含まれていた</b>", "<b>yes</b>");
		else
			say(f, "含まれていない", "no, certainly not");
		if (r->item[i].in_list)
			fprintf(f, "<td class=n>%.1f %%", 100 *
			    r->item[i].filled);
		else
			fputs("<td class=n>–", f);
	}
	fputs("</table>\n", f);
}

/* Weights of the candidate pairs; the threshold is where odds are even. */
static void
scores(FILE *f, const struct trace_result *r)
{
	const uint32_t *h = r->link.histogram[0];
	double most = 1, at, n = (double)r->ours.nmentions;
	double share = r->link.prior;
	unsigned lo = 16;

	heading(f, "", "7. 一致の強さの分布", "7. How strong the matches are");
	for (unsigned i = 0; i < 64; i++)
		if (h[i] > most)
			most = h[i];
	while (lo > 0 && h[lo - 1])
		lo--;
	fprintf(f, "<svg viewBox=\"0 0 800 230\" role=img>");
	for (unsigned i = lo; i < 64; i++) {
		double y = h[i] ? log10(1 + h[i]) / log10(1 + most) * 170 : 0;

		fprintf(f, "<rect x=%.1f y=%.1f width=11 height=%.1f "
		    "fill=\"#7d9bcc\"/>", 40 + (i - lo) * 14.0, 190 - y, y);
	}
	at = share > 0 && share < 1 ? log2(n * (1 - share) / share + 1) : 0;
	at = 40 + (at / 2 + 16 - lo) * 14;
	fprintf(f, "<line x1=%.1f y1=10 x2=%.1f y2=190 stroke=\"#b3261e\" "
	    "stroke-width=2 stroke-dasharray=\"5 4\"/>"
	    "<text x=%.1f y=22 style=\"fill:#b3261e\" class=ja>これより右を一致"
	    "とする</text><text x=%.1f y=22 style=\"fill:#b3261e\" class=en>"
	    "accepted to the right</text>", at, at, at + 6, at + 6);
	for (unsigned i = lo; i < 64; i += 8)
		fprintf(f, "<text x=%.1f y=208 text-anchor=middle>%d</text>",
		    45 + (i - lo) * 14.0, ((int)i - 16) * 2);
	fputs("<text x=400 y=226 text-anchor=middle class=ja>一致の重み（bit）。"
	    "縦は組の数（対数目盛）</text><text x=400 y=226 "
	    "text-anchor=middle class=en>weight of a pair in bits; "
	    "height: number of pairs, logarithmic</text></svg>\n", f);
	para(f, " class=dim", "左右の山がはっきり分かれているほど、判定は確かです。",
	    "The further the two hills stand apart, the surer the matching.");
}

static void
remarks(FILE *f, const struct trace_result *r, const struct trace_options *o)
{
	char n[32], m[32];

	heading(f, "", "8. 入力についての注記", "8. Remarks on the input");
	fputs("<table><tr><td>", f);
	say(f, "名簿", "list");
	fputs("<td class=ids>", f);
	esc(f, o->list);
	fputs("<tr><td>", f);
	say(f, "当社側", "ours");
	fputs("<td class=ids>", f);
	esc(f, o->ours_name ? o->ours_name : "");
	fprintf(f, " (%s)<tr><td>", number(n, (double)r->ours.nrows));
	say(f, "列の読み方", "columns read as");
	fputs("<td class=ids>", f);
	for (unsigned i = 0; i < r->list.cols.n; i++) {
		if (i)
			fputs(", ", f);
		esc(f, r->list.cols.name[i]);
		fprintf(f, " = %s", column_kind_name(r->list.cols.kind[i]));
	}
	fputs("</table><table><tr><th>", f);
	say(f, "見つかった問題", "what was found");
	fputs("<th class=n>", f);
	say(f, "行数", "rows");
	fputs("<th>", f);
	say(f, "最初の行番号", "first row numbers");
	for (unsigned k = 0; k < ISSUE_COUNT; k++) {
		if (!r->list.issue[k])
			continue;
		fputs("<tr><td>", f);
		say(f, row_issue_text(k, true), row_issue_text(k, false));
		fprintf(f, "<td class=n>%s<td>", number(n,
		    (double)r->list.issue[k]));
		for (unsigned i = 0; i < ISSUE_ROWS && i < r->list.issue[k];
		    i++)
			fprintf(f, "%s%u", i ? ", " : "",
			    r->list.issue_row[k][i]);
	}
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
	    "<title>名簿の追跡 / List trace – Kuraban</title>\n", f);
	fputs(style, f);
	fputs("<input type=radio name=l id=ja checked><input type=radio name=l "
	    "id=en>\n<header><div class=lang><label for=ja>日本語</label>"
	    "<label for=en>English</label></div></header>\n<main>\n<h1>", f);
	say(f, "出回った名簿の調査結果", "Where this list came from");
	fputs("</h1>\n", f);
	verdict(f, r);
	numbers(f, r);
	funnel(f, r);
	evidence(f, r);
	services(f, r);
	releases(f, r);
	when(f, r);
	items(f, r);
	scores(f, r);
	remarks(f, r, o);
	fputs("</main>\n", f);
	bad = ferror(f);
	return fclose(f) != 0 || bad ? ERR_IO : ERR_OK;
}
