/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/table.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

#define BATCH 2048
#define HUGE_FROM ((size_t)64 << 20)	/* random reads: fewer TLB misses */

enum err
file_map(const char *path, const uint8_t **p, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *m;

	if (fd < 0)
		return errno == ENOENT ? ERR_NOTFOUND : ERR_IO;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return ERR_IO;
	}
	*len = (size_t)st.st_size;
	*p = (const uint8_t *)"";
	if (*len > 0) {
		m = mmap(NULL, *len, PROT_READ, MAP_PRIVATE, fd, 0);
		if (m == MAP_FAILED) {
			close(fd);
			return ERR_NOMEM;
		}
		madvise(m, *len, MADV_SEQUENTIAL);
		*p = m;
	}
	close(fd);
	return ERR_OK;
}

void
file_unmap(const uint8_t *p, size_t len)
{
	if (p && len)
		munmap((void *)(uintptr_t)p, len);
}

struct dedup {
	uint64_t *hash;
	uint32_t *row;
	size_t cap, n;
};

/* The row that had this hash first; adds it when none had. */
static enum err
dedup_find(struct dedup *d, uint64_t hash, uint32_t row, uint32_t *first)
{
	size_t i;

	if (d->n * 2 >= d->cap) {
		struct dedup big = {.cap = d->cap ? d->cap * 4 : 1 << 16};

		big.hash = calloc(big.cap, sizeof *big.hash);
		big.row = malloc(big.cap * sizeof *big.row);
		if (!big.hash || !big.row) {
			free(big.hash);
			free(big.row);
			return ERR_NOMEM;
		}
		for (size_t k = 0; k < d->cap; k++) {
			if (!d->hash[k])
				continue;
			i = d->hash[k] & (big.cap - 1);
			while (big.hash[i])
				i = (i + 1) & (big.cap - 1);
			big.hash[i] = d->hash[k];
			big.row[i] = d->row[k];
		}
		big.n = d->n;
		free(d->hash);
		free(d->row);
		*d = big;
	}
	if (!hash)
		hash = 1;
	i = hash & (d->cap - 1);
	while (d->hash[i] && d->hash[i] != hash)
		i = (i + 1) & (d->cap - 1);
	if (!d->hash[i]) {
		d->hash[i] = hash;
		d->row[i] = row;
		d->n++;
	}
	*first = d->row[i];
	return ERR_OK;
}

struct ingest {
	struct table *t;
	struct sigs *sigs;
	const struct table_options *o;
	struct csv csv;
	struct dedup dedup;
	pthread_mutex_t lock;
	pthread_cond_t turn;
	uint64_t taken, done;		/* batches */
	bool finished, stop;
	enum err err;
	uint64_t begin_us;
};

struct batch {
	struct csv_row row[BATCH];
	struct row_facts facts[BATCH];
	uint8_t *sigs;			/* BATCH * 2 signatures */
	unsigned n;
	uint64_t seq;
};

static enum err
grow_rows(struct table *t, bool dedup, bool keys)
{
	size_t cap = t->row_cap ? t->row_cap + t->row_cap / 2 : 1 << 16;
	void *p;

	p = realloc(t->offset, cap * sizeof *t->offset);
	if (!p)
		return ERR_NOMEM;
	t->offset = p;
	p = realloc(t->first, cap * sizeof *t->first);
	if (!p)
		return ERR_NOMEM;
	t->first = p;
	if (dedup) {
		p = realloc(t->same_as, cap * sizeof *t->same_as);
		if (!p)
			return ERR_NOMEM;
		t->same_as = p;
	}
	if (keys) {
		p = realloc(t->key_hash, cap * sizeof *t->key_hash);
		if (!p)
			return ERR_NOMEM;
		t->key_hash = p;
	}
	t->row_cap = cap;
	return ERR_OK;
}

static enum err
add_mention(struct table *t, struct sigs *s, const uint8_t *sig, uint32_t row)
{
	if (s->n == s->cap) {
		size_t cap = s->cap ? s->cap + s->cap / 2 : 1 << 14;
		uint8_t *v = realloc(s->v, cap * s->stride);

		if (!v)
			return ERR_NOMEM;
		s->v = v;
		s->cap = cap;
		if (cap * s->stride > HUGE_FROM)
			madvise((void *)(((uintptr_t)v + 4095) &
			    ~(uintptr_t)4095), cap * s->stride - 4096,
			    MADV_HUGEPAGE);
	}
	if (t->nmentions == t->mention_cap) {
		size_t cap = t->mention_cap ? t->mention_cap +
		    t->mention_cap / 2 : 1 << 14;
		uint32_t *v = realloc(t->row_of, cap * sizeof *v);

		if (!v)
			return ERR_NOMEM;
		t->row_of = v;
		t->mention_cap = cap;
	}
	memcpy(s->v + s->n++ * s->stride, sig, s->stride);
	t->row_of[t->nmentions++] = row;
	return ERR_OK;
}

static enum err
append(struct ingest *g, const struct batch *b)
{
	struct table *t = g->t;
	enum err e;

	for (unsigned i = 0; i < b->n; i++) {
		const struct row_facts *f = &b->facts[i];
		uint32_t row = (uint32_t)t->nrows, same = row;

		if (t->nrows == TABLE_NO_ROW - 1)
			return ERR_TOOBIG;
		if (t->nrows == t->row_cap && (e = grow_rows(t, g->o->dedup,
		    g->o->keys)) != ERR_OK)
			return e;
		for (unsigned k = 0; k < ISSUE_COUNT; k++) {
			if (!(f->issues >> k & 1))
				continue;
			if (t->issue[k] < ISSUE_ROWS)
				t->issue_row[k][t->issue[k]] = row + 1;
			t->issue[k]++;
		}
		t->encodings[f->enc]++;
		t->offset[row] = b->row[i].offset;
		t->first[row] = TABLE_NO_ROW;
		if (g->o->keys)
			t->key_hash[row] = f->key;
		if (g->o->dedup) {
			e = dedup_find(&g->dedup, f->hash, row, &same);
			if (e != ERR_OK)
				return e;
			t->same_as[row] = same;
			t->nduplicates += same != row;
		}
		t->nrows++;
		if (same != row || f->nsigs == 0)
			continue;
		t->first[row] = (uint32_t)(t->base + t->nmentions);
		for (unsigned k = 0; k < f->nsigs; k++) {
			e = add_mention(t, g->sigs, b->sigs + ((size_t)i * 2 +
			    k) * g->sigs->stride, row);
			if (e != ERR_OK)
				return e;
		}
	}
	return ERR_OK;
}

/* Takes the next rows; they are read without the lock, appended in turn. */
static bool
take(struct ingest *g, struct batch *b)
{
	pthread_mutex_lock(&g->lock);
	b->n = 0;
	while (!g->finished && !g->stop && b->n < BATCH) {
		if (csv_next(&g->csv, &b->row[b->n]))
			b->n++;
		else
			g->finished = true;
	}
	b->seq = g->taken;
	if (b->n)
		g->taken++;
	pthread_mutex_unlock(&g->lock);
	return b->n > 0;
}

static void
give(struct ingest *g, const struct batch *b)
{
	pthread_mutex_lock(&g->lock);
	while (g->done != b->seq)
		pthread_cond_wait(&g->turn, &g->lock);
	if (!g->stop) {
		enum err e = append(g, b);

		if (e == ERR_OK && g->o->progress && b->seq % 16 == 0) {
			uint64_t us = clock_mono_us() - g->begin_us + 1;

			if (!g->o->progress(g->o->arg, g->o->stage,
			    (double)b->row[0].offset / (double)(g->t->len + 1),
			    (double)g->t->nrows * 1e6 / (double)us))
				e = ERR_CLOSED;
		}
		if (e != ERR_OK) {
			g->err = e;
			g->stop = true;
		}
	}
	g->done++;
	pthread_cond_broadcast(&g->turn);
	pthread_mutex_unlock(&g->lock);
}

static void *
ingest_work(void *arg)
{
	struct ingest *g = arg;
	struct table *t = g->t;
	struct batch *b = calloc(1, sizeof *b);
	struct row_reader r = {0};
	enum err e = b ? ERR_OK : ERR_NOMEM;

	if (e == ERR_OK)
		e = row_reader_init(&r, &t->cols, g->o->schema, g->o->names,
		    g->o->places, t->usual, t->sep);
	if (e == ERR_OK) {
		b->sigs = malloc((size_t)BATCH * 2 * g->sigs->stride);
		if (!b->sigs)
			e = ERR_NOMEM;
	}
	if (e != ERR_OK) {
		pthread_mutex_lock(&g->lock);
		g->err = e;
		g->stop = true;
		pthread_mutex_unlock(&g->lock);
		goto out;
	}
	while (take(g, b)) {
		for (unsigned i = 0; i < b->n; i++) {
			const uint8_t *p = t->p + b->row[i].offset;

			row_read(&r, p, b->row[i].len, b->row[i].flags,
			    b->sigs + (size_t)i * 2 * g->sigs->stride,
			    &b->facts[i]);
		}
		give(g, b);
	}
out:
	row_reader_fini(&r);
	if (b)
		free(b->sigs);
	free(b);
	return NULL;
}

/* The encoding of most lines at the start that are not plain ASCII. */
static enum text_enc
usual_encoding(struct csv csv)
{
	unsigned n[ENC_COUNT] = {0}, best = ENC_ASCII;
	struct csv_row row;

	for (int i = 0; i < 2000 && csv_next(&csv, &row); i++)
		n[text_guess(csv.p + row.offset, row.len, ENC_ASCII)]++;
	n[ENC_ASCII] = 0;
	for (unsigned e = 1; e < ENC_COUNT; e++)
		if (n[e] > n[best])
			best = e;
	return best == ENC_ASCII ? ENC_UTF8 : best;
}

enum err
table_read(struct table *t, struct sigs *sigs, const struct table_options *o,
    char *why, size_t why_cap)
{
	struct ingest g = {.t = t, .sigs = sigs, .o = o,
	    .lock = PTHREAD_MUTEX_INITIALIZER,
	    .turn = PTHREAD_COND_INITIALIZER};
	struct csv_row header;
	pthread_t th[16];
	unsigned n = o->threads < 1 ? 1 : o->threads > 16 ? 16 : o->threads;
	bool started[16] = {false};
	enum err e = ERR_OK;

	memset(t, 0, sizeof *t);
	t->path = o->path;
	t->cols.key = -1;
	if (o->data) {
		t->p = o->data;
		t->len = o->len;
	} else
		e = file_map(o->path, &t->p, &t->len);
	if (e != ERR_OK) {
		snprintf(why, why_cap, "%s", o->path);
		return e;
	}
	e = columns_guess(&t->cols, t->p, t->len, o->told, o->schema, why,
	    why_cap);
	if (e != ERR_OK)
		return e;
	csv_open(&g.csv, t->p, t->len);
	t->sep = g.csv.sep;
	t->usual = usual_encoding(g.csv);
	t->base = sigs->n;
	if (t->cols.header)
		csv_next(&g.csv, &header);
	g.begin_us = clock_mono_us();
	for (unsigned i = 1; i < n; i++)
		started[i] = pthread_create(&th[i], NULL, ingest_work, &g) ==
		    0;
	ingest_work(&g);
	for (unsigned i = 1; i < n; i++)
		if (started[i])
			pthread_join(th[i], NULL);
	free(g.dedup.hash);
	free(g.dedup.row);
	/* Read: its pages need not stay resident, the cache has them. */
	if (t->p && t->len && !o->data) {
		madvise((void *)(uintptr_t)t->p, t->len, MADV_DONTNEED);
		madvise((void *)(uintptr_t)t->p, t->len, MADV_NORMAL);
	}
	return g.err;
}

void
table_fini(struct table *t)
{
	columns_fini(&t->cols);
	if (t->path)
		file_unmap(t->p, t->len);
	free(t->offset);
	free(t->first);
	free(t->same_as);
	free(t->key_hash);
	free(t->row_of);
	memset(t, 0, sizeof *t);
}

struct slice
table_row(const struct table *t, size_t row)
{
	struct csv c = {.p = t->p, .len = t->len, .at = t->offset[row],
	    .sep = t->sep};
	struct csv_row r = {0, 0, 0};

	csv_next(&c, &r);
	return (struct slice){t->p + t->offset[row], r.len};
}

size_t
table_key(const struct table *t, size_t row, uint8_t *scratch, char *out,
    size_t cap)
{
	struct slice f[COLUMNS_MAX], s;
	unsigned n;
	size_t len;

	if (t->cols.key < 0)
		return (size_t)snprintf(out, cap, "%zu", row + 1);
	s = table_row(t, row);
	n = csv_split(s.p, s.len, t->sep, f, COLUMNS_MAX, scratch);
	if ((unsigned)t->cols.key >= n) {
		out[0] = '\0';
		return 0;
	}
	s = f[t->cols.key];
	while (s.len > 0 && s.p[s.len - 1] == ' ')
		s.len--;
	len = s.len < cap - 1 ? s.len : cap - 1;
	memcpy(out, s.p, len);
	out[len] = '\0';
	return len;
}
