/* SPDX-License-Identifier: Apache-2.0 */
#include "synth/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define COLUMNS 128

struct input {
	const char *p;
	size_t len;
	uint64_t *row;			/* where each begins, and the end */
	uint64_t n, cap;
	int8_t role_of[COLUMNS];	/* a column's role, or -1 */
	bool has[ROLE_COUNT];
};

static const char *const role_name[ROLE_COUNT] = {"key", "name", "surname",
    "given", "kana", "kana_surname", "kana_given", "birth", "sex", "zip",
    "prefecture", "city", "address", "address2", "phone", "email", "service",
    "guardian", "guardian_kana"};

/* Headers as databases name such columns; lower case, whole words. */
static const struct {
	const char *header;
	enum role role;
} headers[] = {
	{"customer_id", ROLE_KEY}, {"id", ROLE_KEY}, {"member_id", ROLE_KEY},
	{"user_id", ROLE_KEY}, {"会員番号", ROLE_KEY}, {"顧客番号", ROLE_KEY},
	{"full_name", ROLE_NAME}, {"customer_name", ROLE_NAME},
	{"氏名", ROLE_NAME}, {"名前", ROLE_NAME},
	{"last_name", ROLE_SURNAME}, {"family_name", ROLE_SURNAME},
	{"姓", ROLE_SURNAME}, {"first_name", ROLE_GIVEN},
	{"given_name", ROLE_GIVEN}, {"名", ROLE_GIVEN},
	{"name_kana", ROLE_KANA}, {"furigana", ROLE_KANA},
	{"フリガナ", ROLE_KANA}, {"カナ", ROLE_KANA}, {"氏名カナ", ROLE_KANA},
	{"last_name_kana", ROLE_KANA_SURNAME}, {"セイ", ROLE_KANA_SURNAME},
	{"first_name_kana", ROLE_KANA_GIVEN}, {"メイ", ROLE_KANA_GIVEN},
	{"birth_date", ROLE_BIRTH}, {"birthday", ROLE_BIRTH},
	{"date_of_birth", ROLE_BIRTH}, {"dob", ROLE_BIRTH},
	{"生年月日", ROLE_BIRTH}, {"gender", ROLE_SEX}, {"性別", ROLE_SEX},
	{"postal_code", ROLE_ZIP}, {"postcode", ROLE_ZIP},
	{"zip_code", ROLE_ZIP}, {"郵便番号", ROLE_ZIP},
	{"pref", ROLE_PREFECTURE}, {"都道府県", ROLE_PREFECTURE},
	{"市区町村", ROLE_CITY}, {"addr", ROLE_ADDRESS},
	{"住所", ROLE_ADDRESS}, {"address_2", ROLE_ADDRESS2},
	{"building", ROLE_ADDRESS2}, {"建物", ROLE_ADDRESS2},
	{"tel", ROLE_PHONE}, {"telephone", ROLE_PHONE},
	{"phone_number", ROLE_PHONE}, {"電話番号", ROLE_PHONE},
	{"mail", ROLE_EMAIL}, {"e_mail", ROLE_EMAIL},
	{"メールアドレス", ROLE_EMAIL}, {"サービス", ROLE_SERVICE},
	{"guardian_name", ROLE_GUARDIAN}, {"保護者氏名", ROLE_GUARDIAN},
	{"保護者フリガナ", ROLE_GUARDIAN_KANA},
};

/* The next field; s goes behind its separator. False at the row's end. */
static bool
field(const char **s, const char *end, char *out, size_t cap, size_t *len)
{
	const char *p = *s;
	size_t n = 0;
	bool quoted;

	if (p > end)
		return false;
	quoted = p < end && *p == '"';
	p += quoted;
	for (; p < end; p++) {
		if (quoted && *p == '"') {
			if (p + 1 < end && p[1] == '"')
				p++;
			else {
				quoted = false;
				continue;
			}
		} else if (!quoted && *p == ',')
			break;
		if (n + 1 < cap)
			out[n++] = *p;
	}
	if (cap)
		out[n] = '\0';
	*len = n;
	*s = p + 1;
	return true;
}

static enum err
index_rows(struct input *in)
{
	bool quoted = false;
	size_t start = 0;

	if (in->len >= 3 && memcmp(in->p, "\xef\xbb\xbf", 3) == 0)
		start = 3;
	for (size_t i = start; i <= in->len; i++) {
		bool end = i == in->len || (in->p[i] == '\n' && !quoted);

		quoted ^= i < in->len && in->p[i] == '"';
		if (!end)
			continue;
		if (in->n + 2 > in->cap) {
			uint64_t cap = in->cap ? in->cap * 2 : 1024;
			uint64_t *v = realloc(in->row, cap * sizeof *v);

			if (!v)
				return ERR_NOMEM;
			in->row = v;
			in->cap = cap;
		}
		if (i > start)
			in->row[in->n++] = start;
		in->row[in->n] = i + 1;
		start = i + 1;
	}
	return in->n ? ERR_OK : ERR_FORMAT;
}

static const char *
row_end(const struct input *in, uint64_t line)
{
	const char *begin = in->p + in->row[line];
	const char *end = in->p + in->row[line + 1] - 1;

	while (end > begin && (end[-1] == '\r' || end[-1] == '\n'))
		end--;
	return end;
}

static int
role_by_name(const char *name)
{
	for (int r = 0; r < ROLE_COUNT; r++)
		if (strcmp(role_name[r], name) == 0)
			return r;
	return -1;
}

static int
role_by_header(const char *header)
{
	for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
		if (strcasecmp(headers[i].header, header) == 0)
			return headers[i].role;
	return role_by_name(header);
}

/* "header=role,...": the role of a column as the user says, or -1. */
static int
role_told(const char *told, const char *header)
{
	size_t n = strlen(header);

	for (const char *s = told; s; s = strchr(s, ',')) {
		char role[32];

		s += *s == ',';
		if (strncmp(s, header, n) == 0 && s[n] == '=' &&
		    sscanf(s + n + 1, "%31[^,]", role) == 1)
			return role_by_name(role);
	}
	return -1;
}

static enum err
find_roles(struct input *in, const char *told, char *why, size_t cap)
{
	const char *s = in->p + in->row[0], *end = row_end(in, 0);
	char header[256];
	size_t len;
	int n = 0;

	memset(in->role_of, -1, sizeof in->role_of);
	for (int pass = 0; pass < 2; pass++, n = 0)
		for (s = in->p + in->row[0]; n < COLUMNS && field(&s, end,
		    header, sizeof header, &len); n++) {
			int r = pass ? role_by_header(header) : told ?
			    role_told(told, header) : -1;

			if (r < 0 || in->has[r] || in->role_of[n] >= 0)
				continue;
			in->role_of[n] = (int8_t)r;
			in->has[r] = true;
		}
	if (!in->has[ROLE_KEY] && in->role_of[0] < 0) {
		in->role_of[0] = ROLE_KEY;
		in->has[ROLE_KEY] = true;
	}
	if (in->has[ROLE_KEY] && (in->has[ROLE_NAME] || in->has[ROLE_SURNAME]))
		return ERR_OK;
	snprintf(why, cap, "no column is known to be the %s; say --columns "
	    "'HEADER=key,HEADER=name,...'", in->has[ROLE_KEY] ? "name" :
	    "key");
	return ERR_FORMAT;
}

enum err
input_open(struct input **out, const char *path, const char *columns,
    char *why, size_t cap)
{
	struct input *in = calloc(1, sizeof *in);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	enum err e = ERR_OK;
	void *m;

	snprintf(why, cap, "%s", path);
	if (!in)
		e = ERR_NOMEM;
	else if (fd < 0 || fstat(fd, &st) != 0)
		e = errno == ENOENT ? ERR_NOTFOUND : ERR_IO;
	else if (!S_ISREG(st.st_mode) || st.st_size == 0)
		e = ERR_FORMAT;
	else if ((m = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE,
	    fd, 0)) == MAP_FAILED)
		e = ERR_NOMEM;
	else {
		in->p = m;
		in->len = (size_t)st.st_size;
		e = index_rows(in);
		if (e == ERR_OK)
			e = find_roles(in, columns, why, cap);
	}
	if (fd >= 0)
		close(fd);
	if (e != ERR_OK) {
		input_close(in);
		return e;
	}
	*out = in;
	return ERR_OK;
}

void
input_close(struct input *in)
{
	if (!in)
		return;
	if (in->p)
		munmap((void *)(uintptr_t)in->p, in->len);
	free(in->row);
	free(in);
}

uint64_t
input_rows(const struct input *in)
{
	return in->n - 1;
}

bool
input_has(const struct input *in, enum role r)
{
	return in->has[r];
}

/* What the column's parts are in; one after another with what is between. */
static const char *
joined(char *text, size_t *at, const char *const *part, unsigned n,
    const char *between)
{
	char *begin = text + *at;

	for (unsigned i = 0; i < n; i++) {
		size_t room = INPUT_TEXT - *at;

		if (!*part[i])
			continue;
		*at += (size_t)snprintf(text + *at, room, "%s%s",
		    text + *at > begin ? between : "", part[i]);
		if (*at >= INPUT_TEXT)
			*at = INPUT_TEXT - 1;
	}
	if (*at + 1 < INPUT_TEXT)
		text[(*at)++] = '\0';
	return begin;
}

enum err
input_row(const struct input *in, uint64_t row, struct input_row *out)
{
	const char *s = in->p + in->row[row + 1], *end = row_end(in, row + 1);
	size_t at = 0, len;

	for (int r = 0; r < ROLE_COUNT; r++)
		out->v[r] = "";
	for (int c = 0; c < COLUMNS && at + 1 < INPUT_TEXT && field(&s, end,
	    out->text + at, INPUT_TEXT - at, &len); c++)
		if (in->role_of[c] >= 0) {
			out->v[in->role_of[c]] = out->text + at;
			at += len + 1;
		}
	if (!out->v[ROLE_KEY][0])
		return ERR_FORMAT;
	/* In one piece, as a list has it. */
	if (!out->v[ROLE_NAME][0])
		out->v[ROLE_NAME] = joined(out->text, &at,
		    out->v + ROLE_SURNAME, 2, "　");
	if (!out->v[ROLE_KANA][0])
		out->v[ROLE_KANA] = joined(out->text, &at,
		    out->v + ROLE_KANA_SURNAME, 2, "　");
	if (in->has[ROLE_PREFECTURE] || in->has[ROLE_CITY]) {
		const char *part[] = {out->v[ROLE_PREFECTURE],
		    out->v[ROLE_CITY], out->v[ROLE_ADDRESS]};

		out->v[ROLE_ADDRESS] = joined(out->text, &at, part, 3, "");
	}
	if (out->v[ROLE_ADDRESS2][0])
		out->v[ROLE_ADDRESS] = joined(out->text, &at,
		    out->v + ROLE_ADDRESS, 2, "　");
	return ERR_OK;
}
