/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first page: the answer, its numbers, the facts that a report to the
 * authority asks for, and what to do next. It fits on one sheet. Who reads it
 * has three days and is no programmer.
 */
#include "trace/report_say.h"

#include <math.h>
#include <string.h>

static void
title(FILE *f, const struct trace_options *o)
{
	const char *name = strrchr(o->list, '/');

	fputs("<h1>", f);
	say(f, "出回った名簿の調査結果", "Where this list came from");
	fputs("</h1>\n<p class=dim>", f);
	say(f, "調べた名簿：", "List examined: ");
	fputs("<span class=ids>", f);
	esc(f, name ? name + 1 : o->list);
	fputs("</span>", f);
	if (o->ours_name) {
		say(f, "　照合した当社のデータ：", " · compared with our data: ");
		fputs("<span class=ids>", f);
		name = strrchr(o->ours_name, '/');
		esc(f, name ? name + 1 : o->ours_name);
		fputs("</span>", f);
	}
	fputs("</p>\n", f);
}

/* The extractions in words: one, or several that together explain the list. */
static void
explanation(FILE *f, const struct trace_result *r)
{
	double wrong = 0;
	bool first = true;

	fputs("<p>", f);
	say(f, "この名簿は、次の抽出の記録で説明できます：",
	    "It is explained by this recorded extraction: ");
	for (size_t i = 0; i < r->attribution.n; i++) {
		const struct release_group *g = &r->attribution.group[i];

		if (!g->explains)
			continue;
		if (!first)
			say(f, "、および ", " together with ");
		first = false;
		fputs("<strong class=ids>", f);
		esc(f, r->release[g->release[0]].id);
		fputs("</strong>", f);
		if (g->n > 1)
			fprintf(f, "<span class=ja lang=ja>（または、これと区別"
			    "できない %zu 件のどれか）</span><span class=en "
			    "lang=en> (or one of %zu that cannot be told from "
			    "it)</span>", g->n - 1, g->n - 1);
		wrong += g->chance_wrong;
	}
	say(f, "。これが誤りである確率は", ". The chance that this is wrong: ");
	chance(f, wrong);
	say(f, "です。", ".");
	fputs("</p>", f);
}

static void
why_unclear(FILE *f, const struct trace_result *r)
{
	char n[32], m[32];

	switch (r->doubt) {
	case DOUBT_EMPTY:
		para(f, "", "名簿にデータの行がありません。ファイルが正しいか確かめて"
		    "ください。", "The list has no data rows. See whether it is the "
		    "right file.");
		return;
	case DOUBT_SILENT:
		number(n, (double)r->link.npersons);
		number(m, (double)r->comparable);
		fprintf(f, "<p><span class=ja lang=ja>名簿の項目が少なく、照合できる"
		    "のは %s 人のうち %s 人だけです。見つからないことは「当社の人では"
		    "ない」という意味になりません。</span><span class=en lang=en>"
		    "The list says too little: of %s people only %s could be "
		    "compared. Not being found does not mean not being ours."
		    "</span></p>", n, m, n, m);
		return;
	case DOUBT_SPELLING:
		para(f, "", "当社の人が多く載っていますが、字体が当社の登録と違います。"
		    "他社が独自に集めた名簿に多い特徴です。", "Many of our people are "
		    "on it, but spelled otherwise than we have them, as in lists "
		    "that others collected.");
		return;
	default:
		if (!r->ours.nrows)
			para(f, "", "当社のデータが与えられていないため、人数だけを"
			    "数えました。", "Our data was not given; only people were "
			    "counted.");
		else
			para(f, "", "当社の人の割合は、偶然にしては多く、当社から出た"
			    "証拠としては足りません。", "The share of our people is "
			    "high for chance and low for proof.");
	}
}

static void
verdict(FILE *f, const struct trace_result *r)
{
	static const char *const color[] = {"--red", "--green", "--amber"};
	char n[32], m[32];
	double share = percent(r->persons_ours.estimate, r->persons.estimate);

	fprintf(f, "<div class=verdict style=\"--c:var(%s)\"><b>",
	    color[r->verdict]);
	switch (r->verdict) {
	case VERDICT_OURS:
		say(f, "この名簿には、当社から出たデータが含まれています",
		    "This list contains data that came from us");
		break;
	case VERDICT_NOT_OURS:
		say(f, "この名簿は、当社から出たものではないと判断されます",
		    "This list did not come from us");
		break;
	case VERDICT_UNCLEAR:
		say(f, "当社から出たものかどうか、まだ断定できません",
		    "It cannot be said yet whether this list came from us");
		break;
	}
	fputs("</b>", f);
	number(n, r->persons.estimate);
	if (r->verdict == VERDICT_NOT_OURS && r->persons_ours.high < 1) {
		share = percent((double)r->comparable,
		    (double)r->link.npersons);
		fprintf(f, "<p><span class=ja lang=ja>名簿の約 %s 人の中に、当社の"
		    "記録にある人は一人も見つかりませんでした。照合に足りる項目の"
		    "ある人は %.1f %% です。</span><span class=en lang=en>Of about "
		    "%s people on the list not one is in our records. %.1f %% of "
		    "them say enough to be compared.</span></p>", n, share, n,
		    share);
	} else if (r->verdict == VERDICT_NOT_OURS) {
		number(m, ceil(r->persons_ours.high));
		fprintf(f, "<p><span class=ja lang=ja>名簿の約 %s 人のうち、当社の"
		    "記録にある人は多くても %s 人（%.1f %%）です。</span>"
		    "<span class=en lang=en>Of about %s people on the list, at "
		    "most %s (%.1f %%) are in our records.</span></p>", n, m,
		    percent(ceil(r->persons_ours.high), r->persons.estimate),
		    n, m, percent(ceil(r->persons_ours.high),
		    r->persons.estimate));
	} else if (r->ours.nrows && r->persons.estimate >= 1 &&
	    r->doubt != DOUBT_SILENT) {
		number(m, r->persons_ours.estimate);
		fprintf(f, "<p><span class=ja lang=ja>名簿の約 %s 人のうち、"
		    "約 %s 人（%.1f %%）が当社の記録にある人です。</span>"
		    "<span class=en lang=en>Of about %s people on the list, "
		    "about %s (%.1f %%) are in our records.</span></p>", n, m,
		    share, n, m, share);
	}
	if (r->verdict == VERDICT_UNCLEAR)
		why_unclear(f, r);
	if (explained(r))
		explanation(f, r);
	else if (r->has_releases && r->verdict != VERDICT_NOT_OURS)
		para(f, "", "記録されている抽出の中に、この名簿を説明できるものは"
		    "ありません。", "None of the recorded extractions explains "
		    "this list.");
	fputs("</div>\n", f);
}

static void
numbers(FILE *f, const struct trace_result *r)
{
	const struct {
		const char *ja, *en, *ja_unit;
		struct estimate e;
	} v[] = {
		{"名簿の行数", "rows in the list", "行", r->rows},
		{"名簿に載っている人", "people on it", "人", r->persons},
		{"うち当社の人", "of them ours", "人", r->persons_ours},
	};
	char n[32];

	fputs("<div class=big>", f);
	for (size_t i = 0; i < (r->ours.nrows ? 3u : 2u); i++) {
		fputs("<div>", f);
		say(f, v[i].ja, v[i].en);
		fprintf(f, "<strong>%s<small class=ja lang=ja> %s</small>"
		    "</strong><span class=dim>", number(n, v[i].e.estimate),
		    v[i].ja_unit);
		if (v[i].e.high > 0)
			range(f, v[i].e);
		else
			say(f, "なし", "none");
		fputs("</span></div>", f);
	}
	fputs("</div>\n", f);
	para(f, " class=dim", "「～」は推計の幅です。100 回の調査のうち 95 回は、"
	    "本当の人数がこの幅に入ります。",
	    "Where a range is given, the true number lies in it in 95 of 100 "
	    "such examinations.");
}

/* The names of the items that are, or are not, in the list. */
static void
item_names(FILE *f, const struct trace_result *r, bool in_list)
{
	unsigned n = 0;

	for (unsigned i = 0; i < r->nitems; i++) {
		if (r->item[i].in_list != in_list ||
		    r->item[i].kind == COL_SERVICE)
			continue;
		if (n++)
			say(f, "、", ", ");
		kind_text(f, &r->item[i]);
	}
	if (n == 0)
		say(f, "なし", "none");
}

static void
fact(FILE *f, const char *ja, const char *en)
{
	fputs("<tr><th scope=row>", f);
	say(f, ja, en);
	fputs("<td>", f);
}

static void
facts(FILE *f, const struct trace_result *r)
{
	char n[32];

	fputs("<table class=facts>", f);
	fact(f, "含まれていた項目", "items in it");
	item_names(f, r, true);
	if (r->ours.nrows) {
		fact(f, "当社にあり、名簿に列がない項目",
		    "items of ours without a column in it");
		item_names(f, r, false);
	}
	if (r->unread_columns) {
		fact(f, "中身を確かめていない列", "columns not understood");
		fprintf(f, "<span class=ja lang=ja>%u 列（8 節）。人が見て確かめて"
		    "ください。</span><span class=en lang=en>%u (section 8): "
		    "have somebody look.</span>", r->unread_columns,
		    r->unread_columns);
	}
	if (r->has_history && r->window.values) {
		fact(f, "データの時期", "when");
		esc(f, *r->window.from ? r->window.from : "…");
		say(f, " ～ ", " to ");
		esc(f, *r->window.to ? r->window.to : "…");
	}
	if (r->nservices && r->persons_ours.estimate >= 1 &&
	    r->verdict != VERDICT_NOT_OURS) {
		fact(f, "サービス・表", "services or tables");
		for (unsigned i = 0; i < r->nservices && i < 6; i++) {
			fputs(i ? ", " : "", f);
			esc(f, r->service[i].name);
			fprintf(f, " %s", number(n,
			    (double)r->service[i].persons));
		}
		if (r->nservices > 6)
			fputs(" …", f);
	}
	fputs("</table>\n", f);
}

static void
step(FILE *f, const char *ja, const char *en)
{
	fputs("<li>", f);
	say(f, ja, en);
}

/* What was not given and would help to decide. */
static void
would_help(FILE *f, const struct trace_result *r)
{
	step(f, "判断の材料を増やす：", "Give it more to judge by: ");
	if (!r->has_canaries)
		say(f, "おとりの記録（--canaries）　", "decoys (--canaries); ");
	if (!r->has_history)
		say(f, "過去の値の履歴（--history）　",
		    "former values (--history); ");
	if (!r->has_background)
		say(f, "同業・同地域の別の名簿（--background）　",
		    "another list of the same trade or region (--background); ");
	if (!r->has_releases)
		say(f, "抽出の記録（--releases）　",
		    "the record of extractions (--releases); ");
	say(f, "同じ名簿の、より項目の多い版。",
	    "a version of the list with more columns.");
}

static void
report_in_time(FILE *f, bool certain)
{
	if (certain)
		step(f, "個人情報保護委員会への<b>速報</b>は、社内の誰かが知った日から"
		    "おおむね 3～5 日以内、<b>確報</b>は 30 日以内（不正の目的による"
		    "おそれがあれば 60 日以内）。本人の数と項目は上の数字を使えます。",
		    "Tell the Personal Information Protection Commission within "
		    "about 3 to 5 days of the day anybody in the company knew, and "
		    "in full within 30 days (60 where the purpose may be "
		    "improper). The numbers and items above are what it asks "
		    "for.");
	else
		step(f, "「おそれ」の段階でも報告の対象になり得ます。断定を待たず、"
		    "知った日から<b>速報の期限（おおむね 3～5 日）</b>を数えて準備する。",
		    "A likely leak may have to be reported too: count the 3 to 5 "
		    "days from the day it was known, and prepare.");
}

static void
next_steps(FILE *f, const struct trace_result *r)
{
	const struct release_group *g = explained(r);
	char n[32];

	heading(f, " class=next", "次にすること", "What to do next");
	fputs("<ol>", f);
	step(f, "名簿のファイルを上書きせずに保全し、入手の日時と経緯を書き残す"
	    "（照合用の SHA-256 は 8 節）。",
	    "Keep the file as it is, with when and how it was obtained (its "
	    "SHA-256 is in section 8).");
	if (r->verdict == VERDICT_NOT_OURS) {
		number(n, (double)r->ours.nrows);
		fprintf(f, "<li><span class=ja lang=ja>照合したのは当社側の %s 件"
		    "です。ほかの表、退会者、委託先の控えがあれば、それとも照合する。"
		    "</span><span class=en lang=en>It was compared with %s "
		    "records of ours. Compare it with other tables, former "
		    "customers and contractors' copies as well.</span>", n, n);
		step(f, "お客様窓口の回答例：「ご指摘の名簿を当社の記録と照合しましたが、"
		    "当社から出たことを示す点は見つかりませんでした。引き続き調べます。」",
		    "The customer desk may say: \"We compared the list with our "
		    "records and found nothing that shows it came from us. We "
		    "keep looking.\"");
		fputs("</ol>\n", f);
		return;
	}
	report_in_time(f, r->verdict == VERDICT_OURS);
	if (g) {
		step(f, "抽出の記録から、日時・利用者・SQL 文を確かめる（台帳の番号なら "
		    "<code>kuraban log show 番号</code>）。端末や入退室の記録と"
		    "突き合わせるまで、<b>特定の人を疑わない</b>。",
		    "Look up when, through which account and with which statement "
		    "(for a ledger's number: <code>kuraban log show "
		    "NUMBER</code>). <b>Suspect nobody</b> before terminals and "
		    "doors were checked against it.");
	} else if (r->verdict == VERDICT_OURS && !r->has_releases) {
		step(f, "どの抽出かを調べる：抽出の記録（--releases、または "
		    "--database）を与えて、もう一度照合する。",
		    "Find out by which extraction: run it again with their record "
		    "(--releases, or --database).");
	} else if (r->verdict == VERDICT_OURS) {
		step(f, "記録に残らない経路を調べる：バックアップ、サーバの直接操作、"
		    "導入前の持ち出し、委託先。",
		    "Look where nothing is recorded: backups, the server itself, "
		    "the time before the record began, contractors.");
	}
	if (r->verdict == VERDICT_UNCLEAR)
		would_help(f, r);
	step(f, "お客様窓口：問い合わせた人が名簿にいるかは、matches.csv で "
	    "accepted が 1 の our_key（顧客番号）を見れば分かります。",
	    "Customer desk: whether a caller is on the list is in matches.csv, "
	    "by our_key where accepted is 1.");
	fputs("</ol>\n", f);
	para(f, " class=dim", "期限と報告の要否は、個人情報保護法 26 条と施行規則に"
	    "よります。法的な判断は専門家に確かめてください。",
	    "Deadlines are those of Japan's Act on the Protection of Personal "
	    "Information, article 26, and its rules. Ask a lawyer.");
}

void
report_answer(FILE *f, const struct trace_result *r,
    const struct trace_options *o)
{
	title(f, o);
	verdict(f, r);
	numbers(f, r);
	facts(f, r);
	next_steps(f, r);
}
