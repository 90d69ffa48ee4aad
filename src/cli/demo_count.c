/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/demo.h"

#include <stdlib.h>
#include <string.h>

bool
demo_seen_init(struct demo_seen *s, uint32_t max)
{
	*s = (struct demo_seen){.max = max};
	for (int i = 0; i < 4; i++)
		s->base64[i].have = -i;
	return (s->bits = calloc(max / 8 + 1, 1)) != NULL;
}

void
demo_seen_fini(struct demo_seen *s)
{
	free(s->bits);
	*s = (struct demo_seen){0};
}

bool
demo_seen_has(const struct demo_seen *s, uint32_t id)
{
	return id >= 1 && id <= s->max && (s->bits[id / 8] >> (id % 8) & 1) != 0;
}

static void
saw(struct demo_seen *s, uint32_t id)
{
	if (id < 1 || id > s->max || demo_seen_has(s, id))
		return;
	s->bits[id / 8] |= (uint8_t)(1u << (id % 8));
	s->count++;
}

uint32_t
demo_seen_add(struct demo_seen *s, const struct demo_seen *from)
{
	uint32_t before = s->count;

	for (uint32_t id = 1; id <= from->max; id++)
		if (demo_seen_has(from, id))
			saw(s, id);
	return s->count - before;
}

static bool
digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* 000-NNNN-NNNN */
static void
phone(struct demo_seen *s, struct demo_scan *m, uint8_t c)
{
	if (m->phone == 3 && c == '0')
		return;		/* 0000-: the last three zeros count */
	if (m->phone < 3 ? c == '0' : m->phone == 3 || m->phone == 8 ? c == '-' : digit(c)) {
		if (m->phone == 0)
			m->phone_id = 0;
		if (m->phone > 3 && c != '-')
			m->phone_id = m->phone_id * 10 + (c - '0');
		if (++m->phone == 13) {
			saw(s, m->phone_id);
			m->phone = 0;
		}
		return;
	}
	m->phone = c == '0';
	m->phone_id = 0;
}

/* cNNNNNNNN@ */
static void
mail(struct demo_seen *s, struct demo_scan *m, uint8_t c)
{
	if (m->mail == 9 && c == '@')
		saw(s, m->mail_id);
	if (m->mail >= 1 && m->mail < 9 && digit(c)) {
		m->mail_id = m->mail_id * 10 + (c - '0');
		m->mail++;
		return;
	}
	m->mail = c == 'c';
	m->mail_id = 0;
}

static void
scan(struct demo_seen *s, struct demo_scan *m, uint8_t c)
{
	phone(s, m, c);
	mail(s, m, c);
}

static int
sextet(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (digit(c))
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

void
demo_seen_feed(struct demo_seen *s, const void *p, size_t len)
{
	const uint8_t *b = p;

	for (size_t i = 0; i < len; i++) {
		int v = sextet(b[i]);

		scan(s, &s->plain, b[i]);
		if (b[i] == '\n' || b[i] == '\r')
			continue;	/* base64 is broken into lines */
		for (int k = 0; k < 4; k++) {
			if (v < 0) {
				s->base64[k].have = -k;
				s->base64[k].scan = (struct demo_scan){0};
			} else if (s->base64[k].have < 0) {
				s->base64[k].have++;
			} else {
				s->base64[k].bits = s->base64[k].bits << 6 | (uint32_t)v;
				s->base64[k].have += 6;
				if (s->base64[k].have >= 8) {
					s->base64[k].have -= 8;
					scan(s, &s->base64[k].scan, (uint8_t)
					    (s->base64[k].bits >> s->base64[k].have));
				}
			}
		}
	}
}
