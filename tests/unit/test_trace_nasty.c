/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ten nasty cases of list matching and their kin, each from files to links.
 * Rows and entries of ours are numbered from 0 here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trace/trace.h"

#define OURS_HEAD "customer_id,name,kana,birth_date,sex,postal_code,address,phone\n"
#define LIST_HEAD "氏名,フリガナ,生年月日,性別,郵便番号,住所,電話番号\n"

static char dir[] = "/tmp/kuraban-trace-XXXXXX";

static const char *
file(const char *name)
{
	static char path[8][256];
	static int n;
	char *p = path[n++ % 8];

	snprintf(p, 256, "%s/%s", dir, name);
	return p;
}

static void
put(const char *name, const void *bytes, size_t len)
{
	FILE *f = fopen(file(name), "w");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

/*
 * 400 ordinary people behind the ones a case is about, so that frequencies and
 * learned weights are those of a real file; half of them are on the list too.
 */
static void
filler(FILE *f, bool ours)
{
	static const char *const sur[] = {"鈴木", "田村", "木村", "小川", "中野",
	    "石井", "原田", "松尾", "岩崎", "森田", "上野", "西川", "大塚",
	    "菊地", "柴田", "久保", "北村", "川口", "福田", "東"};
	static const char *const giv[] = {"一郎", "花子", "健二", "美咲", "誠",
	    "陽子", "直樹", "由美", "拓也", "恵子", "翔", "彩", "亮", "愛",
	    "修", "舞", "剛", "香織", "学", "恵美"};
	static const char *const town[] = {"東京都渋谷区神宮前",
	    "大阪府大阪市北区天満", "愛知県名古屋市中区栄", "福岡県福岡市中央区天神",
	    "北海道札幌市中央区大通西", "宮城県仙台市青葉区中央"};

	for (unsigned i = ours ? 0 : 200; i < 400; i++) {
		unsigned s = i * 7 % 20, g = (i / 20 + i * 3) % 20;

		if (ours)
			fprintf(f, "Z%03u,", i);
		fprintf(f, "%s %s,,%u-%02u-%02u,%s,,%s%u-%u-%u,090-%04u-%04u\n",
		    sur[s], giv[g], 1950 + i % 60, 1 + i % 12, 1 + i % 28,
		    g & 1 ? "女" : "男", town[i % 6], 1 + i % 4, 1 + i * 13 %
		    40, 1 + i % 19, 1000 + i * 17 % 9000, i * 7919 % 10000);
	}
}

static void
write_pair(const char *ours, const char *list)
{
	FILE *f = fopen(file("ours.csv"), "w");

	assert_non_null(f);
	fprintf(f, OURS_HEAD "%s", ours);
	filler(f, true);
	fclose(f);
	f = fopen(file("list.csv"), "w");
	assert_non_null(f);
	fprintf(f, LIST_HEAD "%s", list);
	filler(f, false);
	fclose(f);
}

static struct trace_result *
run_with(struct trace_options o)
{
	static struct trace_result r;
	char why[256];
	enum err e;

	o.list = file("list.csv");
	o.ours = file("ours.csv");
	o.out = file("out");
	o.threads = 2;
	e = trace_run(&o, &r, why, sizeof why);
	if (e != ERR_OK)
		fail_msg("%s: %s", err_text(e), why);
	return &r;
}

static struct trace_result *
run(const char *ours, const char *list)
{
	write_pair(ours, list);
	return run_with((struct trace_options){0});
}

/* The accepted entry of ours for a list row, or -1. */
static int
link_of(const struct trace_result *r, unsigned row)
{
	uint32_t m = r->list.first[row];

	if (m == TABLE_NO_ROW || !r->link.best[m].accepted)
		return -1;
	return (int)r->ours.row_of[r->link.best[m].id - r->ours.base];
}

static int
person_of(const struct trace_result *r, unsigned row)
{
	return (int)r->link.person[r->list.first[row]];
}

/* 1: encodings mixed in one file, and two byte forms of one character. */
static void
case_1_mixed_encodings(void **state)
{
	static const char ours[] = "A1,髙橋 太郎,タカハシ タロウ,1980-02-03,男,"
	    "150-0001,東京都渋谷区神宮前1-2-3,090-1234-5678\n"
	    "A2,𠮷田 予表,ヨシダ ヨウヒョウ,1975-05-06,男,530-0043,"
	    "大阪府大阪市北区天満4-5-6,06-6351-0001\n";
	/* 髙 as FBFC and as EEE0; 表 and 予 hold 0x5C and 0x5F bytes. */
	static const char *const name[] = {"\xfb\xfc\x8b\xb4 \x91\xbe\x98Y",
	    "\xee\xe0\x8b\xb4 \x91\xbe\x98Y"};
	struct trace_result *r;
	FILE *f;

	write_pair(ours, "");
	f = fopen(file("list.csv"), "a");
	for (int i = 0; i < 2; i++)
		fprintf(f, "%s,\xc0\xb6\xca\xbc \xc0\xdb\xb3,1980/2/3,\x92j,,"
		    ",090-1234-5678\n", name[i]);
	/* EUC-JP: 高橋 太郎, 東京都渋谷区神宮前1-2-3. */
	fprintf(f, "\xb9\xe2\xb6\xb6 \xc2\xc0\xcf\xba,,1980/2/3,,,"
	    "\xc5\xec\xb5\xfe\xc5\xd4\xbd\xc2\xc3\xab\xb6\xe8\xbf\xc0\xb5\xdc"
	    "\xc1\xb0""1-2-3,\n");
	/* 𠮷 lost four ways. */
	fputs("?田 予表,ﾖｼﾀﾞ ﾖｳﾋｮｳ,1975-05-06,男,,,06-6351-0001\n"
	    "〓田 予表,ヨシダ ヨウヒョウ,1975-05-06,男,,,06-6351-0001\n"
	    "吉田 予表,,1975-05-06,男,,,06-6351-0001\n"
	    "\"𠮷田 予表\",,1975-05-06,男,,,\"06-6351-0001\"\n", f);
	fclose(f);
	r = run_with((struct trace_options){0});
	assert_int_equal(link_of(r, 200), 0);
	assert_int_equal(link_of(r, 201), 0);
	assert_int_equal(link_of(r, 202), 0);
	assert_int_equal(person_of(r, 200), person_of(r, 201));
	assert_int_equal(person_of(r, 200), person_of(r, 202));
	assert_int_equal(r->list.nduplicates, 2);	/* one spelling */
	assert_int_equal(r->list.first[201], r->list.first[200]);
	for (unsigned i = 203; i < 207; i++) {
		assert_int_equal(link_of(r, i), 1);
		assert_int_equal(person_of(r, i), person_of(r, 203));
	}
	trace_fini(r);
}

/* 2: same character, confusable character, other character. */
static void
case_2_variants(void **state)
{
	struct text a;
	struct trace_result *r;
	static const char *const same[][2] = {{"斎藤", "齋藤"}, {"斉藤", "齊藤"},
	    {"渡辺", "渡邊"}, {"渡辺", "渡邉"}, {"渡辺", "渡邉\U000E0101"},
	    {"高", "髙"}, {"崎", "﨑"}, {"崎", "嵜"}, {"島", "嶌"}};
	static const char *const apart[][2] = {{"斎藤", "斉藤"}, {"残", "瀉"},
	    {"残", "箋"}, {"渡辺", "渡部"}, {"大", "太"}};

	for (size_t i = 0; i < 9; i++) {
		uint64_t h;

		text_cstr(&a, same[i][0]);
		h = text_hash_same(a.v, a.n);
		text_cstr(&a, same[i][1]);
		assert_true(h == text_hash_same(a.v, a.n));
	}
	for (size_t i = 0; i < 5; i++) {
		uint64_t h;

		text_cstr(&a, apart[i][0]);
		h = text_hash_same(a.v, a.n);
		text_cstr(&a, apart[i][1]);
		assert_true(h != text_hash_same(a.v, a.n));
	}
	/* Confusable with the same birth and telephone: one person. */
	r = run("A1,斎藤 明,サイトウ アキラ,1971-07-07,男,,東京都渋谷区神宮前3-1-1,"
	    "090-5555-0001\n"
	    "A2,渡部 結,ワタナベ ユイ,1990-03-03,女,,東京都渋谷区神宮前3-1-2,\n",
	    "斉藤 明,,1971-07-07,男,,,090-5555-0001\n"
	    "斉藤 明,,1988-01-09,男,,東京都渋谷区神宮前1-9-9,\n"
	    "渡辺 結,ワタナベ ユイ,1964-09-30,女,,東京都渋谷区神宮前2-7-7,\n");
	assert_int_equal(link_of(r, 0), 0);
	assert_int_equal(link_of(r, 1), -1);	/* same town only */
	assert_int_equal(link_of(r, 2), -1);
	trace_fini(r);
}

/* 3: twins are two persons, whatever they share. */
static void
case_3_twins(void **state)
{
	static const char ours[] =
	    "A1,佐藤 大翔,サトウ ヒロト,2009-04-03,男,150-0001,東京都渋谷区神宮前"
	    "1-1-1,03-5555-1111\n"
	    "A2,佐藤 大和,サトウ ヤマト,2009-04-03,男,150-0001,東京都渋谷区神宮前"
	    "1-1-1,03-5555-1111\n"
	    "A3,山本 悠太,ヤマモト ユウタ,2011-08-08,男,,大阪府大阪市北区天満2-2-2,"
	    "06-5555-2222\n"
	    "A4,山本 悠斗,ヤマモト ユウト,2011-08-08,男,,大阪府大阪市北区天満2-2-2,"
	    "06-5555-2222\n";
	struct trace_result *r = run(ours,
	    "佐藤　大翔,,2009/4/3,男,,東京都渋谷区神宮前1丁目1番1号,0355551111\n"
	    "佐藤大和,サトウヤマト,2009/4/3,男,,渋谷区神宮前1-1-1,0355551111\n"
	    ",ヤマモト ユウタ,2011/8/8,男,,大阪府大阪市北区天満2-2-2,06-5555-2222\n"
	    ",ヤマモト ユウト,2011/8/8,男,,大阪府大阪市北区天満2-2-2,06-5555-2222\n");

	for (int i = 0; i < 4; i++)
		assert_int_equal(link_of(r, (unsigned)i), i);
	assert_int_not_equal(person_of(r, 0), person_of(r, 1));
	assert_int_not_equal(person_of(r, 2), person_of(r, 3));
	trace_fini(r);
}

/* 4: one reading, one birth date, one city, two ways to write it. */
static void
case_4_reading(void **state)
{
	struct trace_result *r = run(
	    "A1,松本 優花,マツモト ユウカ,1999-09-09,女,,東京都渋谷区神宮前2-8-1,"
	    "090-7777-0001\n"
	    "A2,三浦 蒼,ミウラ アオイ,2001-01-31,男,,宮城県仙台市青葉区中央1-3-5,"
	    "090-7777-0002\n",
	    "松本 結花,マツモト ユウカ,1999-09-09,女,,東京都渋谷区神宮前4-20-7,"
	    "080-1111-0001\n"
	    ",ミウラ アオイ,2001-01-31,,,,090-7777-0002\n"
	    "三浦 蒼,,2001-01-31,,,,090-7777-0002\n");

	assert_int_equal(link_of(r, 0), -1);
	assert_int_equal(link_of(r, 1), 1);
	assert_int_equal(link_of(r, 2), 1);
	assert_int_equal(person_of(r, 1), person_of(r, 2));
	trace_fini(r);
}

static void
check_address(const struct places *p, const char *text, const char *city,
    const char *town, const char *number, const char *rest)
{
	struct text t;
	struct address a;
	struct slice c;
	char got[256], left[256];

	text_cstr(&t, text);
	address_parse(p, &a, &t);
	c = places_city(p, a.city);
	snprintf(got, sizeof got, "%.*s", (int)c.len, (const char *)c.p);
	assert_string_equal(got, city);
	address_town_text(p, &a, &t, got, sizeof got);
	assert_string_equal(got, town);
	address_number_text(&a, got, sizeof got);
	assert_string_equal(got, number);
	text_utf8(left, sizeof left, t.v + a.rest, t.n - a.rest);
	assert_string_equal(left, rest);
}

/* 5: addresses that other normalisers break. */
static void
case_5_addresses(void **state)
{
	struct places *p;
	struct address a;
	struct text t;

	assert_int_equal(places_open(&p), ERR_OK);
	check_address(p, "京都市中京区三条通烏丸西入御倉町", "京都市中京区",
	    "御倉町", "", "");
	check_address(p, "札幌市西区24-2-2-3-3", "札幌市西区",
	    "二十四軒二条二丁目", "3-3", "");
	check_address(p, "東京都千代田区永田町9番地7千代田21ビル", "千代田区",
	    "永田町", "9-7", "千代田21ビル");
	check_address(p, "千代田区千代田1丁目5番地二引ビル", "千代田区",
	    "千代田一丁目", "5", "二引ビル");
	check_address(p, "千代田区丸の内2番地4三番町KSビル", "千代田区",
	    "丸の内", "2-4", "三番町KSビル");
	check_address(p, "千代田区丸の内15番5十五番館ビル", "千代田区",
	    "丸の内", "15-5", "十五番館ビル");
	check_address(p, "和歌山県東牟婁郡串本町串本千二百三十四",
	    "東牟婁郡串本町", "串本", "1234", "");
	check_address(p, "和歌山市7番町19", "和歌山市", "七番丁", "19", "");
	check_address(p, "静岡県浜松市浜北区貴布祢123", "浜松市浜名区", "貴布祢",
	    "123", "");
	check_address(p, "岩船郡荒川町坂町12", "村上市", "坂町", "12", "");
	check_address(p, "府中市宮西町2-24", "府中市", "宮西町二丁目", "24", "");
	text_cstr(&t, "府中市1-1");
	address_parse(p, &a, &t);
	assert_true(a.ambiguous);	/* Tokyo's or Hiroshima's */
	places_close(p);
}

static void
check_date(const char *text, unsigned y, unsigned m, unsigned d)
{
	struct text t;
	struct date got;

	text_cstr(&t, text);
	date_parse(&got, &t, NULL);
	assert_int_equal(got.year, y);
	assert_int_equal(got.month, m);
	assert_int_equal(got.day, d);
}

static void
check_phone(const char *text, const char *want, enum phone_kind kind)
{
	struct text t;
	struct phone p;
	char got[24];

	text_cstr(&t, text);
	phone_parse(&p, &t);
	assert_int_equal(p.kind, kind);
	if (want) {
		phone_text(got, &p);
		assert_string_equal(got, want);
	}
}

/* 6: what spreadsheets do. */
static void
case_6_spreadsheet(void **state)
{
	struct places *p;
	struct trace_result *r;

	check_date("H元.5.1", 1989, 5, 1);
	check_date("S64.1.7", 1989, 1, 7);
	check_date("平成１年１月８日", 1989, 1, 8);
	check_date("38045", 2004, 2, 28);
	check_date("2009-02-29", 2009, 2, 29);
	check_date("20090403", 2009, 4, 3);
	check_date("2009/4/3 0:00:00", 2009, 4, 3);
	check_date("令和元年10月1日", 2019, 10, 1);
	check_date("3.09E+09", 0, 0, 0);
	check_phone("312345678", "0312345678", PHONE_LAND);
	check_phone("9012345678", "09012345678", PHONE_MOBILE);
	check_phone("+81 90-1234-5678", "09012345678", PHONE_MOBILE);
	check_phone("０３（１２３４）５６７８", "0312345678", PHONE_LAND);
	check_phone("3.09E+09", NULL, PHONE_DAMAGED);
	check_phone("000-0000-0000", NULL, PHONE_FILLER);
	assert_int_equal(places_open(&p), ERR_OK);
	check_address(p, "中央区銀座2001/2/3", "中央区", "銀座一丁目", "2-3", "");
	places_close(p);
	r = run("A1,宮田 徹,ミヤタ トオル,1989-05-01,男,001-0010,北海道札幌市北区"
	    "北十条西1-2-3,011-555-0001\n",
	    "宮田 徹,,H元.5.1,男,10010,札幌市北区北10条西1-2-3,115550001\n");
	assert_int_equal(link_of(r, 0), 0);
	trace_fini(r);
}

/* 7: rows, records and persons are three numbers. */
static void
case_7_guardians(void **state)
{
	static const char ours[] = "customer_id,name,kana,birth_date,address,phone,"
	    "guardian_name,guardian_kana\n"
	    "K1,青木 さくら,アオキ サクラ,2005-05-05,東京都渋谷区神宮前1-1-5,"
	    "03-5555-3333,青木 京子,アオキ キョウコ\n"
	    "K2,青木 かえで,アオキ カエデ,2007-07-07,東京都渋谷区神宮前1-1-5,"
	    "03-5555-3333,青木 京子,アオキ キョウコ\n"
	    "K3,青木 つばき,アオキ ツバキ,2010-10-10,東京都渋谷区神宮前1-1-5,"
	    "03-5555-3333,青木 京子,アオキ キョウコ\n"
	    "K4,永井 蓮,ナガイ レン,2006-06-06,大阪府大阪市北区天満1-7-2,"
	    "06-5555-4444,永井 隆,ナガイ タカシ\n";
	static const char list[] = "氏名,フリガナ,生年月日,住所,電話番号,保護者氏名,"
	    "保護者フリガナ\n"
	    "青木 さくら,アオキ サクラ,2005/5/5,渋谷区神宮前1-1-5,0355553333,"
	    "青木 京子,アオキ キョウコ\n"
	    "青木 さくら,アオキ サクラ,2005/5/5,渋谷区神宮前1-1-5,0355553333,"
	    "青木 京子,アオキ キョウコ\n"
	    "青木さくら,,2005.5.5,東京都渋谷区神宮前1丁目1番5号,03-5555-3333,"
	    "青木京子,\n"
	    "青木 かえで,アオキ カエデ,2007/7/7,渋谷区神宮前1-1-5,0355553333,"
	    "青木 京子,アオキ キョウコ\n"
	    "青木 つばき,アオキ ツバキ,2010/10/10,渋谷区神宮前1-1-5,0355553333,"
	    "青木 京子,アオキ キョウコ\n"
	    "永井 蓮,ナガイ レン,2006/6/6,大阪市北区天満1-7-2,0655554444,"
	    "永井 隆,ナガイ タカシ\n";
	struct trace_result *r;

	put("ours.csv", ours, sizeof ours - 1);
	put("list.csv", list, sizeof list - 1);
	r = run_with((struct trace_options){0});
	assert_int_equal(r->rows.estimate, 6);
	assert_int_equal(r->exact_duplicates.estimate, 1);
	assert_int_equal(r->records.estimate + .5, 4);
	assert_int_equal(r->persons.estimate + .5, 6);
	assert_int_equal(r->persons_ours.estimate + .5, 6);
	trace_fini(r);
}

/* 8: one value half a million times is neither quadratic nor one person. */
static void
case_8_skew(void **state)
{
	FILE *f;
	struct trace_result *r;

	write_pair("A1,テスト太郎,テスト タロウ,1900-01-01,男,,東京都渋谷区神宮前"
	    "1-1-1,000-0000-0000\n", "");
	f = fopen(file("list.csv"), "a");
	for (unsigned i = 0; i < 60000; i++)
		fprintf(f, "テスト太郎,テスト タロウ,1900-01-01,男,,東京都渋谷区"
		    "神宮前1-1-1,000-0000-%04u\n", i % 7 ? 0 : i % 10000);
	/* A dormitory: 3,000 people at one address and telephone. */
	for (unsigned i = 0; i < 3000; i++)
		fprintf(f, "寮%c%c 学%c,,%u-%02u-%02u,男,,宮城県仙台市青葉区中央"
		    "2-2-2,022-555-0000\n", 'a' + i % 26, 'a' + i / 26 % 26,
		    'a' + i / 676, 1998 + i % 5, 1 + i % 12, 1 + i / 12 % 28);
	fclose(f);
	r = run_with((struct trace_options){0});
	assert_true(r->link.pairs < 40000000);
	assert_true(r->link.capped_blocks > 0);
	assert_true(r->list.issue[ISSUE_FILLER] > 50000);
	/* The dormitory is people, not a person. */
	assert_true(r->persons.estimate > 3000);
	trace_fini(r);
}

/* 9: releases that contain, repeat and resemble each other; an innocent list. */
static void
case_9_attribution(void **state)
{
	enum { N = 20000, R = 60 };
	struct release rel[R] = {{0}};
	uint64_t *leak = calloc(N / 64 + 1, 8), x = 7;
	struct attribution a;
	bool found = false;

	for (unsigned k = 0; k < R; k++) {
		rel[k].v = malloc(N * sizeof(uint32_t));
		for (uint32_t i = 0; i < N; i++) {
			bool in;

			x = x * 6364136223846793005ull + 1442695040888963407ull;
			if (k < 40)		/* a daily job that grows */
				in = i % 10 == 3 && i < N / 2 + k * 10;
			else if (k == 40)	/* A */
				in = i % 7 == 2 && i < N / 2;
			else if (k == 41)	/* B, a superset of A */
				in = i % 7 == 2;
			else
				in = x >> 60 == k % 16;
			if (in)
				rel[k].v[rel[k].n++] = i;
		}
	}
	/* A leaked at one in three; 2 % of everybody by chance. */
	for (uint32_t i = 0; i < N; i++) {
		x = x * 6364136223846793005ull + 1442695040888963407ull;
		if ((i % 7 == 2 && i < N / 2 && (x >> 33) % 3 == 0) ||
		    (x >> 33) % 50 == 7)
			leak[i / 64] |= 1ull << (i % 64);
	}
	assert_int_equal(attribute(&a, rel, R, leak, N), ERR_OK);
	assert_int_equal(a.n, 1);
	assert_true(a.group[0].explains);
	assert_int_equal(a.group[0].n, 1);	/* not its superset */
	assert_int_equal(a.group[0].release[0], 40);
	assert_true(a.group[0].chance_wrong < .01);
	attribution_fini(&a);
	/* The daily job: its runs cannot be told apart, the group says so. */
	memset(leak, 0, N / 8);
	for (uint32_t i = 0; i < N; i++) {
		x = x * 6364136223846793005ull + 1442695040888963407ull;
		if (i % 10 == 3 && i < N / 2 + 200 && (x >> 33) % 5 == 0)
			leak[i / 64] |= 1ull << (i % 64);
	}
	assert_int_equal(attribute(&a, rel, R, leak, N), ERR_OK);
	assert_true(a.group[0].explains);
	assert_true(a.group[0].n > 1);
	for (size_t i = 0; i < a.group[0].n; i++)
		found = found || a.group[0].release[i] == 20;
	assert_true(found);
	attribution_fini(&a);
	/*
	 * Innocent, and by trade: a rival's list has 60 % of our customers of
	 * some ages and few others. It resembles releases and explains none.
	 */
	memset(leak, 0, N / 8);
	for (uint32_t i = 0; i < N; i++) {
		x = x * 6364136223846793005ull + 1442695040888963407ull;
		if ((x >> 33) % 100 < (i % 10 > 6 ? 60 : i % 10 > 2 ? 30 : 10))
			leak[i / 64] |= 1ull << (i % 64);
	}
	assert_int_equal(attribute(&a, rel, R, leak, N), ERR_OK);
	for (size_t g = 0; g < a.n; g++)
		assert_false(a.group[g].explains);
	attribution_fini(&a);
	for (unsigned k = 0; k < R; k++)
		free(rel[k].v);
	free(leak);
}

/* 10: a canary in other clothes; a former address dates the list. */
static void
case_10_canary(void **state)
{
	static const char canaries[] = "subject_key\nA1\n";
	static const char history[] = "subject_key,column,value,from,to\n"
	    "A2,address,東京都渋谷区神宮前2-2-2 ベネッセ荘,2013-06-01,2014-02-28\n"
	    "A2,address,東京都渋谷区神宮前3-3-3,2014-03-01,\n";
	struct trace_result *r;

	write_pair("A1,髙野 囮,タカノ オトリ,1977-11-11,女,,東京都渋谷区神宮前4-4-4,"
	    "090-9999-0001\n"
	    "A2,早川 栞,ハヤカワ シオリ,1982-12-12,女,,東京都渋谷区神宮前3-3-3,"
	    "090-9999-0002\n",
	    "高野囮,,1977/11/11,女,,渋谷区神宮前4-4-4,09099990001\n"
	    "橋爪 栞,,1982/12/12,女,,東京都渋谷区神宮前２－２－２　ベネッセ荘,"
	    "09099990002\n");
	put("canaries.csv", canaries, sizeof canaries - 1);
	put("history.csv", history, sizeof history - 1);
	r = run_with((struct trace_options){.canaries = file("canaries.csv"),
	    .history = file("history.csv")});
	assert_int_equal(link_of(r, 0), 0);
	assert_int_equal(link_of(r, 1), 1);	/* maiden name, old address */
	assert_int_equal(r->canaries_hit, 1);
	assert_int_equal(r->stale, 1);
	assert_string_equal(r->window.from, "2013-06-01");
	assert_string_equal(r->window.to, "2014-02-28");
	assert_int_equal(r->verdict, VERDICT_OURS);
	trace_fini(r);
}

/*
 * Twins, many: same surname, birth date, home and telephone, readings that differ
 * by one character as often as not, in several spellings of each row. No two
 * twins may ever become one person, nor one be taken for the other.
 */
static void
twins_never_merged(void **state)
{
	enum { PAIRS = 300, ROWS = 3 };
	static const char *const sur[][2] = {{"佐藤", "サトウ"}, {"鈴木", "スズキ"},
	    {"高橋", "タカハシ"}, {"渡辺", "ワタナベ"}, {"小川", "オガワ"},
	    {"東", "ヒガシ"}};
	static const char *const giv[][4] = {
	    {"悠太", "ユウタ", "悠斗", "ユウト"}, {"結衣", "ユイ", "結奈", "ユナ"},
	    {"陸", "リク", "空", "ソラ"}, {"美咲", "ミサキ", "美咲子", "ミサコ"},
	    {"大翔", "ヒロト", "大和", "ヤマト"}, {"健一", "ケンイチ", "健二", "ケンジ"},
	    {"真央", "マオ", "真緒", "マオ"}, {"翔", "ショウ", "翼", "ツバサ"}};
	FILE *ours = fopen(file("ours.csv"), "w");
	FILE *list = fopen(file("list.csv"), "w");
	struct trace_result *r;
	unsigned missed = 0;

	assert_true(ours && list);
	fputs(OURS_HEAD, ours);
	fputs(LIST_HEAD, list);
	for (unsigned i = 0; i < 2 * PAIRS; i++) {
		unsigned k = i / 2, t = i % 2 * 2, day = 1 + k * 7 % 28;
		const char *const *s = sur[k % 6], *const *g = giv[k / 6 % 8];
		unsigned ban = 1 + k % 97, go = 1 + k / 97;

		fprintf(ours, "T%u,%s %s,%s %s,2009-%02u-%02u,男,150-0001,"
		    "東京都渋谷区神宮前2-%u-%u,03-5%03u-%04u\n", i, s[0], g[t],
		    s[1], g[t + 1], 1 + k % 12, day, ban, go, k, k * 13 %
		    10000);
		fprintf(list, "%s　%s,,2009/%u/%u,,,渋谷区神宮前2丁目%u番%u号,"
		    "035%03u%04u\n", s[0], g[t], 1 + k % 12, day, ban, go, k,
		    k * 13 % 10000);
		fprintf(list, "%s%s,%s %s,H21.%u.%u,男,1500001,,03-5%03u-%04u\n",
		    s[0], g[t], s[1], g[t + 1], 1 + k % 12, day, k, k * 13 %
		    10000);
		/* Without kanji one cannot tell 真央 from 真緒. */
		fprintf(list, "%s %s,%s%s,,,150-0001,東京都渋谷区神宮前２－%u－%u,"
		    "\n", s[0], g[t], s[1], g[t + 1], ban, go);
	}
	filler(ours, true);
	filler(list, false);
	fclose(ours);
	fclose(list);
	r = run_with((struct trace_options){0});
	for (unsigned i = 0; i < 2 * PAIRS * ROWS; i++) {
		int own = link_of(r, i);

		if (own < 0)
			missed++;
		else
			assert_int_equal(own, i / ROWS);
		if (i / ROWS % 2 == 0)
			for (unsigned j = 0; j < ROWS; j++)
				assert_int_not_equal(person_of(r, i),
				    person_of(r, (i / ROWS + 1) * ROWS + j));
	}
	assert_int_equal(missed, 0);
	trace_fini(r);
}

/* A married name: another surname, the same given name, birth and contact. */
static void
married_name(void **state)
{
	struct trace_result *r = run(
	    "A1,小松 千尋,コマツ チヒロ,1988-06-21,女,,東京都渋谷区神宮前5-6-7,"
	    "090-8181-0001\n"
	    "A2,土屋 麻衣,ツチヤ マイ,1991-02-14,女,,大阪府大阪市北区天満3-3-9,\n",
	    /* Married, in the same home; then in another, telephone kept. */
	    "黒田 千尋,クロダ チヒロ,1988-06-21,女,,東京都渋谷区神宮前5-6-7,"
	    "090-8181-0001\n"
	    "黒田 千尋,クロダ チヒロ,1988-06-21,女,,福岡県福岡市中央区天神1-9-9,"
	    "090-8181-0001\n"
	    /* The husband's mother shares neither birth date nor given name. */
	    "黒田 節子,クロダ セツコ,1955-03-03,女,,東京都渋谷区神宮前5-6-7,"
	    "090-8181-0001\n"
	    /* Same given name and birthday elsewhere: somebody else. */
	    "野口 麻衣,ノグチ マイ,1991-02-14,女,,福岡県福岡市中央区天神2-2-2,"
	    "080-3333-0001\n");

	assert_int_equal(link_of(r, 0), 0);
	assert_int_equal(link_of(r, 1), 0);
	assert_int_equal(person_of(r, 0), person_of(r, 1));
	assert_int_equal(link_of(r, 2), -1);
	assert_int_not_equal(person_of(r, 2), person_of(r, 0));
	assert_int_equal(link_of(r, 3), -1);
	trace_fini(r);
}

/* Moved: everything of the address is new. */
static void
moved(void **state)
{
	struct trace_result *r = run(
	    "A1,今泉 卓,イマイズミ タク,1979-10-30,男,150-0001,東京都渋谷区神宮前"
	    "4-4-4,03-5555-7777\n",
	    "今泉 卓,イマイズミ タク,1979-10-30,男,812-0011,福岡県福岡市中央区天神"
	    "1-2-3,092-555-1111\n"
	    "今泉 卓,,,男,,東京都渋谷区神宮前4-4-4,\n"
	    /* Moved, and nothing else agrees but the name: nobody's. */
	    "今泉 卓,,1961-01-01,男,,宮城県仙台市青葉区中央1-1-1,\n");

	assert_int_equal(link_of(r, 0), 0);
	assert_int_equal(link_of(r, 1), 0);
	assert_int_equal(person_of(r, 0), person_of(r, 1));
	assert_int_equal(link_of(r, 2), -1);
	trace_fini(r);
}

/* A municipality that has been merged, and wards that were drawn anew. */
static void
merged_municipality(void **state)
{
	struct trace_result *r = run(
	    "A1,稲葉 実,イナバ ミノル,1966-04-04,男,,新潟県村上市坂町12,\n"
	    "A2,長島 望,ナガシマ ノゾミ,1972-08-15,女,,静岡県浜松市浜名区貴布祢123,\n",
	    "稲葉 実,イナバ ミノル,,男,,新潟県岩船郡荒川町坂町12,\n"
	    "長島 望,ナガシマ ノゾミ,,女,,静岡県浜松市浜北区貴布祢123,\n");

	assert_int_equal(link_of(r, 0), 0);
	assert_int_equal(link_of(r, 1), 1);
	trace_fini(r);
}

/* Half-width kana, voiced marks apart, hiragana, small and long vowels. */
static void
half_width_kana(void **state)
{
	struct trace_result *r = run(
	    "A1,緒方 純平,オガタ ジュンペイ,1984-12-24,男,,東京都渋谷区神宮前1-8-8,"
	    "090-4545-0001\n"
	    "A2,河野 亮子,コウノ リョウコ,1993-05-05,女,,大阪府大阪市北区天満2-9-9,"
	    "090-4545-0002\n",
	    ",ｵｶﾞﾀ ｼﾞｭﾝﾍﾟｲ,1984/12/24,男,,,090-4545-0001\n"
	    ",おがた　じゅんぺい,1984/12/24,男,,,090-4545-0001\n"
	    ",オカ゛タ シ゛ュンヘ゜イ,1984/12/24,男,,,090-4545-0001\n"
	    ",ｺｳﾉ ﾘﾖｳｺ,1993/5/5,女,,,090-4545-0002\n");

	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(link_of(r, i), 0);
		assert_int_equal(person_of(r, i), person_of(r, 0));
	}
	assert_int_equal(link_of(r, 3), 1);
	trace_fini(r);
}

/* One telephone and one home for a family of five: five persons. */
static void
family_phone(void **state)
{
	struct trace_result *r = run(
	    "A1,三宅 正人,ミヤケ マサト,1970-01-10,男,,東京都渋谷区神宮前6-1-1,03-5555-6001\n"
	    "A2,三宅 直子,ミヤケ ナオコ,1972-02-20,女,,東京都渋谷区神宮前6-1-1,03-5555-6001\n"
	    "A3,三宅 光,ミヤケ ヒカル,2001-03-30,男,,東京都渋谷区神宮前6-1-1,03-5555-6001\n",
	    "三宅 正人,,,,,,03-5555-6001\n"
	    "三宅 直子,,,,,,03-5555-6001\n"
	    "三宅 光,,,,,,03-5555-6001\n"
	    "三宅 ひかり,,2003-09-09,女,,,03-5555-6001\n"
	    ",ミヤケ トメ,1940-06-06,女,,東京都渋谷区神宮前6-1-1,03-5555-6001\n");

	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(link_of(r, i), i < 3 ? (int)i : -1);
		for (unsigned j = 0; j < i; j++)
			assert_int_not_equal(person_of(r, i), person_of(r, j));
	}
	trace_fini(r);
}

/* An address that no gazetteer has still equals itself, and only itself. */
static void
unlisted_address(void **state)
{
	struct trace_result *r = run(
	    "A1,松田 香,マツダ カオリ,1981-01-01,女,,東京都架空区桜町1-2-3,\n"
	    "A2,松田 香,マツダ カオリ,1959-02-02,女,,東京都架空区緑町4-5-6,\n",
	    "松田 香,,,女,,架空区桜町１－２－３,\n"
	    "松田 香,,,女,,東京都架空区緑町4-5-6 桜荘,\n"
	    "松田 香,,,女,,東京都架空区本町1-2-3,\n");

	assert_int_equal(link_of(r, 0), 0);
	assert_int_equal(link_of(r, 1), 1);
	assert_int_equal(link_of(r, 2), -1);
	trace_fini(r);
}

static int
setup(void **state)
{
	return mkdtemp(dir) ? 0 : -1;
}

static int
teardown(void **state)
{
	static const char *const names[] = {"ours.csv", "list.csv",
	    "canaries.csv", "history.csv", "out/matches.csv",
	    "out/report.json", "out/index.html"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		unlink(file(names[i]));
	rmdir(file("out"));
	rmdir(dir);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(case_1_mixed_encodings),
		cmocka_unit_test(case_2_variants),
		cmocka_unit_test(case_3_twins),
		cmocka_unit_test(case_4_reading),
		cmocka_unit_test(case_5_addresses),
		cmocka_unit_test(case_6_spreadsheet),
		cmocka_unit_test(case_7_guardians),
		cmocka_unit_test(case_8_skew),
		cmocka_unit_test(case_9_attribution),
		cmocka_unit_test(case_10_canary),
		cmocka_unit_test(twins_never_merged),
		cmocka_unit_test(married_name),
		cmocka_unit_test(moved),
		cmocka_unit_test(merged_municipality),
		cmocka_unit_test(half_width_kana),
		cmocka_unit_test(family_phone),
		cmocka_unit_test(unlisted_address),
	};

	return cmocka_run_group_tests_name("trace: nasty cases", tests,
	    setup, teardown);
}
