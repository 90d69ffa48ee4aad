/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The meter as bytes (docs/spec/meter.md, section 4). The caller checks a
 * checksum first; what is read is bounded all the same.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "meter/parts.h"

enum { ENTRY_BYTES = 10, NAME_BYTES_MAX = 1024, CHUNK = 1024 };

struct saver {
	bool (*put)(void *arg, const void *p, size_t n);
	void *arg;
	uint8_t chunk[CHUNK * ENTRY_BYTES];
	size_t n;
};

static bool
save_entry(void *arg, uint64_t mixed, uint16_t day)
{
	struct saver *s = arg;
	uint8_t *p = s->chunk + s->n;

	for (int i = 0; i < 8; i++)
		p[i] = (uint8_t)(mixed >> (56 - 8 * i));
	p[8] = (uint8_t)(day >> 8);
	p[9] = (uint8_t)day;
	s->n += ENTRY_BYTES;
	if (s->n < sizeof(s->chunk))
		return true;
	s->n = 0;
	return s->put(s->arg, s->chunk, sizeof(s->chunk));
}

static void
save_actor(struct buf *b, const struct actor *a)
{
	buf_lp16(b, slice_cstr(a->name));
	buf_u32(b, (uint32_t)a->day);
	buf_u64(b, a->older);
	buf_u64(b, a->anon_older);
	buf_u32(b, a->nyears);
	for (unsigned i = 0; i < a->nyears; i++) {
		buf_u32(b, (uint32_t)a->years[i].year);
		buf_u64(b, a->years[i].count);
	}
	for (int i = 0; i < RING; i++)
		buf_u32(b, a->ring[i]);
	buf_u8(b, a->anon != NULL);
	for (int i = 0; a->anon != NULL && i < RING; i++)
		buf_u64(b, a->anon[i]);
	buf_u64(b, a->set.count);
}

enum err
meter_save(const struct meter *m,
    bool (*put)(void *arg, const void *p, size_t n), void *arg)
{
	struct saver *s = malloc(sizeof(*s));
	enum err err = ERR_IO;
	struct buf b;

	buf_init(&b, 64 << 10);
	if (s == NULL)
		return ERR_NOMEM;
	s->put = put;
	s->arg = arg;
	buf_u32(&b, (uint32_t)m->today);
	buf_u32(&b, (uint32_t)m->nactors);
	for (size_t i = 0; i < m->nactors; i++) {
		s->n = 0;
		save_actor(&b, m->actors[i]);
		if (b.bad) {
			err = ERR_NOMEM;
			goto out;
		}
		if (!put(arg, buf_head(&b), buf_used(&b)) ||
		    !set_each(&m->actors[i]->set, save_entry, s) ||
		    (s->n > 0 && !put(arg, s->chunk, s->n)))
			goto out;
		buf_clear(&b);
	}
	err = buf_used(&b) == 0 || put(arg, buf_head(&b), buf_used(&b)) ?
	    ERR_OK : ERR_IO;
out:
	buf_fini(&b);
	free(s);
	return err;
}

struct loader {
	bool (*get)(void *arg, void *p, size_t n);
	void *arg;
	bool bad;
};

static uint64_t
load_int(struct loader *l, size_t n)
{
	uint8_t p[8];
	uint64_t v = 0;

	if (l->bad || !l->get(l->arg, p, n)) {
		l->bad = true;
		return 0;
	}
	for (size_t i = 0; i < n; i++)
		v = v << 8 | p[i];
	return v;
}

static bool
load_set(struct loader *l, struct set *set)
{
	uint64_t n = load_int(l, 8);

	for (uint64_t i = 0; i < n; i++) {
		uint8_t p[ENTRY_BYTES];
		struct rd r = rd_init(p, sizeof(p));
		uint64_t mixed;
		int32_t old;

		if (l->bad || !l->get(l->arg, p, sizeof(p)))
			return false;
		mixed = rd_u64(&r);
		if (!set_put(set, mixed, rd_u16(&r), &old) || old >= 0)
			return false;
	}
	return !l->bad;
}

static bool
load_actor(struct loader *l, struct meter *m)
{
	char name[NAME_BYTES_MAX + 1];
	size_t len = (size_t)load_int(l, 2);
	struct actor *a;
	uint32_t n;

	if (l->bad || len > NAME_BYTES_MAX || !l->get(l->arg, name, len) ||
	    memchr(name, 0, len) != NULL)
		return false;
	name[len] = 0;
	if (meter_actor_find(m, name) != UINT32_MAX)
		return false;
	n = meter_actor(m, name);
	a = m->actors[n];
	a->day = (int32_t)load_int(l, 4);
	a->older = load_int(l, 8);
	a->anon_older = load_int(l, 8);
	a->nyears = (unsigned)load_int(l, 4);
	if (l->bad || a->nyears > YEARS_MAX) {
		a->nyears = 0;
		return false;
	}
	for (unsigned i = 0; i < a->nyears; i++) {
		a->years[i].year = (int)load_int(l, 4);
		a->years[i].count = load_int(l, 8);
	}
	for (int i = 0; i < RING; i++)
		a->ring[i] = (uint32_t)load_int(l, 4);
	if (load_int(l, 1) != 0) {
		if ((a->anon = calloc(RING, sizeof(*a->anon))) == NULL)
			return false;
		for (int i = 0; i < RING; i++)
			a->anon[i] = load_int(l, 8);
	}
	if (!load_set(l, &a->set))
		return false;
	meter_sums(a);
	return true;
}

enum err
meter_load(struct meter **out,
    bool (*get)(void *arg, void *p, size_t n), void *arg)
{
	struct loader l = {get, arg, false};
	struct meter *m = meter_new();
	size_t n;

	if (m == NULL)
		return ERR_NOMEM;
	m->today = (int32_t)load_int(&l, 4);
	n = (size_t)load_int(&l, 4);
	for (size_t i = 0; i < n && !l.bad; i++)
		if (!load_actor(&l, m))
			l.bad = true;
	if (l.bad) {
		meter_free(m);
		return ERR_FORMAT;
	}
	*out = m;
	return ERR_OK;
}
