/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/table.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

#define BATCH 1024
#define BATCH_BYTES (1u << 20)
#define WINDOW (8u << 20)
#define WINDOW_LEAST (2u << 20)
#define DROP ((uint64_t)64 << 20)
_Static_assert(WINDOW_LEAST > CSV_WINDOW, "every window gives a row");
#define HUGE_FROM ((size_t)64 << 20)	/* random reads: fewer TLB misses */

enum err
file_map(const char *path, const uint8_t **p, size_t *len, char *why,
    size_t cap)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *m;

	if (fd < 0) {
		snprintf(why, cap, "%s: %s", path, strerror(errno));
		return errno == ENOENT ? ERR_NOTFOUND : ERR_IO;
	}
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		snprintf(why, cap, "%s: not a regular file", path);
		close(fd);
		return ERR_IO;
	}
	*len = (size_t)st.st_size;
	*p = (const uint8_t *)"";
	if (*len > 0) {
		m = mmap(NULL, *len, PROT_READ, MAP_PRIVATE, fd, 0);
		if (m == MAP_FAILED) {
			snprintf(why, cap, "%s: %s", path, strerror(errno));
			close(fd);
			return ERR_NOMEM;
		}
		madvise(m, *len, MADV_SEQUENTIAL);
		*p = m;
	}
	close(fd);
	return ERR_OK;
}

/* Lines that end in CR alone, as old spreadsheets write them. */
static bool
bare_cr(const uint8_t *p, size_t len)
{
	size_t n = len < 65536 ? len : 65536;

	return n > 0 && memchr(p, '\r', n) && !memchr(p, '\n', n);
}

enum err
file_map_text(const char *path, const uint8_t **p, size_t *len,
    struct text_made *made, char *why, size_t cap)
{
	enum err e = file_map(path, p, len, why, cap);
	const uint8_t *old;
	size_t n, most;
	uint8_t *m;

	*made = (struct text_made){UTF16_NO, false};
	if (e != ERR_OK)
		return e;
	made->utf16 = text_utf16_guess(*p, *len);
	if (!made->utf16 && !bare_cr(*p, *len))
		return ERR_OK;
	made->copy = true;
	old = *p;
	n = *len;
	most = n / 2 * 3 + 3;
	m = mmap(NULL, most, PROT_READ | PROT_WRITE, MAP_PRIVATE |
	    MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (m == MAP_FAILED) {
		file_unmap(old, n);
		return ERR_NOMEM;
	}
	if (made->utf16)
		*len = text_utf16_read(m, old, n, made->utf16);
	else
		memcpy(m, old, n);
	file_unmap(old, n);
	if (bare_cr(m, *len))
		for (size_t i = 0; i < *len; i++)
			if (m[i] == '\r')
				m[i] = '\n';
	/* What is not used goes; then file_unmap() finds its length. */
	*p = mremap(m, most, *len, 0);
	return ERR_OK;
}

void
file_unmap(const uint8_t *p, size_t len)
{
	if (p && len)
		munmap((void *)(uintptr_t)p, len);
}

/* What has been seen, by its hash: rows, and mentions by their signatures. */
struct dedup {
	struct seen {
		uint64_t hash;		/* 0: free */
		uint32_t id;
	} __attribute__((packed)) *v;
	size_t cap, n;
};

static void *
huge_alloc(size_t bytes)
{
	size_t align = (size_t)2 << 20;
	void *v;

	if (bytes < align)
		return malloc(bytes);
	v = aligned_alloc(align, (bytes + align - 1) & ~(align - 1));
	if (v)
		madvise(v, bytes, MADV_HUGEPAGE);
	return v;
}

static enum err
dedup_grow(struct dedup *d)
{
	struct dedup big = {.cap = d->cap ? d->cap * 2 : 1 << 16, .n = d->n};

	big.v = huge_alloc(big.cap * sizeof *big.v);
	if (!big.v)
		return ERR_NOMEM;
	memset(big.v, 0, big.cap * sizeof *big.v);
	for (size_t k = 0; k < d->cap; k++) {
		size_t i = d->v[k].hash & (big.cap - 1);

		if (!d->v[k].hash)
			continue;
		while (big.v[i].hash)
			i = (i + 1) & (big.cap - 1);
		big.v[i] = d->v[k];
	}
	free(d->v);
	*d = big;
	return ERR_OK;
}

static inline void
dedup_soon(const struct dedup *d, uint64_t hash)
{
	if (d->cap)
		__builtin_prefetch(&d->v[hash & (d->cap - 1)]);
}

/* Who had this hash first; adds id when none had. */
static enum err
dedup_find(struct dedup *d, uint64_t hash, uint32_t id, uint32_t *first)
{
	size_t i;

	if (d->n * 4 >= d->cap * 3 && dedup_grow(d) != ERR_OK)
		return ERR_NOMEM;
	hash = hash ? hash : 1;
	i = hash & (d->cap - 1);
	while (d->v[i].hash && d->v[i].hash != hash)
		i = (i + 1) & (d->cap - 1);
	if (!d->v[i].hash) {
		d->v[i] = (struct seen){hash, id};
		d->n++;
	}
	*first = d->v[i].id;
	return ERR_OK;
}

struct ingest {
	struct table *t;
	struct sigs *sigs;
	const struct table_options *o;
	struct csv csv;
	struct dedup equal, alike;	/* rows; first mentions of rows */
	int fd;				/* of a pipe, or -1 */
	uint8_t *window;
	pthread_mutex_t lock;
	pthread_cond_t turn;
	uint64_t taken, known, done;	/* batches */
	bool finished, stop;
	enum err err;
	uint64_t begin_us, dropped;
};

struct batch {
	const uint8_t *p;		/* at offset `from` of the input */
	uint8_t *copy;			/* of the window's bytes */
	uint8_t *scratch;
	uint16_t *units;
	uint64_t from;
	size_t bytes, copy_cap, scratch_cap;
	struct csv_row at[BATCH];
	struct row row[BATCH];
	struct row_facts facts[BATCH];
	uint64_t sig_hash[BATCH];	/* 0: too little to go by */
	uint32_t same[BATCH];		/* the first equal row, or its own */
	uint8_t *sigs;			/* BATCH * 2 signatures */
	uint32_t first_row;
	unsigned n;
	uint64_t seq;
};

static bool
grow(void *array, size_t cap, size_t size)
{
	void **v = array, *p = realloc(*v, cap * size);

	if (p)
		*v = p;
	return p != NULL;
}

static enum err
grow_rows(struct table *t, bool dedup, bool keys)
{
	size_t cap = t->row_cap ? t->row_cap + t->row_cap / 2 : 1 << 16;

	if (!grow(&t->offset, cap, sizeof *t->offset) ||
	    !grow(&t->first, cap, sizeof *t->first) ||
	    (dedup && !grow(&t->remark, cap, sizeof *t->remark)) ||
	    (keys && !grow(&t->key_hash, cap, sizeof *t->key_hash)))
		return ERR_NOMEM;
	t->row_cap = cap;
	return ERR_OK;
}

static enum err
add_mention(struct table *t, struct sigs *s, const uint8_t *sig, uint32_t row)
{
	if (s->n == s->cap) {
		size_t cap = s->cap ? s->cap + s->cap / 2 : 1 << 14;

		if (!grow(&s->v, cap, s->stride))
			return ERR_NOMEM;
		s->cap = cap;
		if (cap * s->stride > HUGE_FROM)
			madvise((void *)(((uintptr_t)s->v + 4095) &
			    ~(uintptr_t)4095), cap * s->stride - 4096,
			    MADV_HUGEPAGE);
	}
	if (t->nmentions == t->mention_cap) {
		size_t cap = t->mention_cap ? t->mention_cap +
		    t->mention_cap / 2 : 1 << 14;

		if (!grow(&t->row_of, cap, sizeof *t->row_of))
			return ERR_NOMEM;
		t->mention_cap = cap;
	}
	memcpy(s->v + s->n++ * s->stride, sig, s->stride);
	t->row_of[t->nmentions++] = row;
	return ERR_OK;
}

/*
 * A full name and two of birth date, telephone, e-mail and house: who agrees in
 * all of it to the letter is one person whatever else the files say.
 */
static bool
strong(const struct sig *s)
{
	unsigned n = s->dob != 0;

	n += s->phone || s->phone2;
	n += s->email != 0;
	n += s->town && s->num;
	return (s->all || s->kall) && n >= 2;
}

/* First turn: numbers of rows, and which of them are equal to earlier ones. */
static enum err
find_equal(struct ingest *g, struct batch *b)
{
	struct table *t = g->t;
	enum err e;

	if (t->nrows + b->n >= TABLE_NO_ROW)
		return ERR_TOOBIG;
	while (t->nrows + b->n > t->row_cap)
		if ((e = grow_rows(t, g->o->dedup, g->o->keys)) != ERR_OK)
			return e;
	b->first_row = (uint32_t)t->nrows;
	t->nrows += b->n;
	for (unsigned i = 0; i < b->n; i++) {
		b->same[i] = b->first_row + i;
		if (!g->o->dedup)
			continue;
		if (i + 8 < b->n)
			dedup_soon(&g->equal, b->facts[i + 8].hash);
		e = dedup_find(&g->equal, b->facts[i].hash, b->same[i],
		    &b->same[i]);
		if (e != ERR_OK)
			return e;
		t->nduplicates += b->same[i] != b->first_row + i;
	}
	return ERR_OK;
}

/* The remarks of row_people(), in eight bits. */
#define REMARKS_FIRST ISSUE_NO_NAME
static inline uint8_t
remark_of(uint32_t issues)
{
	return (uint8_t)(issues >> REMARKS_FIRST << 1 |
	    (issues >> ISSUE_MOVED & 1));
}
static inline uint32_t
issues_of(uint8_t remark)
{
	return (uint32_t)(remark >> 1) << REMARKS_FIRST |
	    (uint32_t)(remark & 1) << ISSUE_MOVED;
}
_Static_assert(ISSUE_PLACE - REMARKS_FIRST < 7, "remarks fit");

static void
count(struct table *t, uint32_t row, const struct row_facts *f,
    uint32_t issues)
{
	for (; issues; issues &= issues - 1) {
		unsigned k = (unsigned)__builtin_ctz(issues);

		if (t->issue[k] < ISSUE_ROWS)
			t->issue_row[k][t->issue[k]] = row + 1;
		t->issue[k]++;
	}
	for (uint64_t c = f->filled; c; c &= c - 1)
		t->filled[__builtin_ctzll(c)]++;
	t->encodings[f->enc]++;
}

/* Second turn: the mentions of rows that say something new. */
static enum err
append(struct ingest *g, const struct batch *b)
{
	struct table *t = g->t;
	size_t stride = g->sigs->stride;
	enum err e;

	for (unsigned i = 0; i < b->n; i++) {
		const struct row_facts *f = &b->facts[i];
		const uint8_t *sigs = b->sigs + (size_t)i * 2 * stride;
		uint32_t row = b->first_row + i;
		uint32_t next = (uint32_t)(t->base + t->nmentions);
		uint32_t issues = f->issues;

		t->offset[row] = b->at[i].offset;
		if (g->o->keys)
			t->key_hash[row] = f->key;
		if (b->same[i] != row) {
			issues |= issues_of(t->remark[b->same[i]]);
			t->remark[row] = t->remark[b->same[i]];
			t->first[row] = t->first[b->same[i]];
			count(t, row, f, issues);
			continue;
		}
		count(t, row, f, issues);
		if (g->o->dedup)
			t->remark[row] = remark_of(issues);
		t->first[row] = f->nsigs ? next : TABLE_NO_ROW;
		if (i + 8 < b->n && b->sig_hash[i + 8])
			dedup_soon(&g->alike, b->sig_hash[i + 8]);
		if (b->sig_hash[i]) {
			e = dedup_find(&g->alike, b->sig_hash[i], next,
			    &t->first[row]);
			if (e != ERR_OK)
				return e;
			if (t->first[row] != next)
				continue;
		}
		for (unsigned k = 0; k < f->nsigs; k++) {
			e = add_mention(t, g->sigs, sigs + k * stride, row);
			if (e != ERR_OK)
				return e;
		}
	}
	return ERR_OK;
}

static enum err
tell(struct ingest *g, uint64_t at)
{
	uint64_t us = clock_mono_us() - g->begin_us + 1;

	if (!g->o->progress || g->o->progress(g->o->arg, g->o->stage,
	    g->fd >= 0 ? -1 : (double)at / (double)(g->t->len + 1),
	    (double)g->t->nrows * 1e6 / (double)us))
		return ERR_OK;
	return ERR_CLOSED;
}

/* Moves the window on and fills it; waits for a writer, and hears Ctrl-C. */
static enum err
refill(struct ingest *g)
{
	struct csv *c = &g->csv;
	size_t n = c->at < c->len ? c->len - c->at : 0;
	bool end = false;

	memmove(g->window, c->p + c->len - n, n);
	while (n < WINDOW_LEAST && !end) {
		struct pollfd fd = {.fd = g->fd, .events = POLLIN};
		ssize_t got;
		enum err e;

		if (poll(&fd, 1, 200) <= 0) {
			if ((e = tell(g, 0)) != ERR_OK)
				return e;
			continue;
		}
		got = read(g->fd, g->window + n, WINDOW - n);
		if (got < 0 && errno != EINTR && errno != EAGAIN)
			return ERR_IO;
		end = got == 0;
		n += got > 0 ? (size_t)got : 0;
	}
	csv_window(c, g->window, n, !end);
	g->t->len = c->base + n;
	return ERR_OK;
}

/* Bytes of the next rows, as they lie; a window's are copied, it moves on. */
static enum err
take_rows(struct ingest *g, struct batch *b)
{
	struct csv *c = &g->csv;
	enum err e;

	b->n = 0;
	while (b->n == 0 && !g->finished) {
		while (b->n < BATCH && (b->n == 0 || b->at[b->n - 1].offset -
		    b->at[0].offset < BATCH_BYTES) && csv_next(c,
		    &b->at[b->n]))
			b->n++;
		if (b->n == 0 && !c->more)
			g->finished = true;
		else if (b->n == 0 && (e = refill(g)) != ERR_OK)
			return e;
	}
	if (b->n == 0)
		return ERR_OK;
	b->from = b->at[0].offset;
	b->p = c->p + (b->from - c->base);
	b->bytes = (size_t)(b->at[b->n - 1].offset - b->from) +
	    b->at[b->n - 1].len;
	if (g->fd < 0)
		return ERR_OK;
	if (b->bytes > b->copy_cap) {
		if (!grow(&b->copy, b->bytes + b->bytes / 4, 1))
			return ERR_NOMEM;
		b->copy_cap = b->bytes + b->bytes / 4;
	}
	memcpy(b->copy, b->p, b->bytes);
	b->p = b->copy;
	return ERR_OK;
}

static void
stop(struct ingest *g, enum err e)
{
	g->err = e;
	g->stop = true;
}

/* Takes the next rows; they are read without the lock. */
static bool
take(struct ingest *g, struct batch *b)
{
	enum err e;

	pthread_mutex_lock(&g->lock);
	b->n = 0;
	if (!g->stop && (e = take_rows(g, b)) != ERR_OK) {
		b->n = 0;
		stop(g, e);
	}
	b->seq = g->taken;
	if (b->n)
		g->taken++;
	/* Pages that are read need not stay resident, the cache has them. */
	if (b->n && g->fd < 0 && !g->o->data && !g->t->made.copy && b->from > g->dropped +
	    2 * DROP) {
		madvise((void *)(uintptr_t)(g->t->p + g->dropped), DROP,
		    MADV_DONTNEED);
		g->dropped += DROP;
	}
	pthread_mutex_unlock(&g->lock);
	return b->n > 0;
}

/* Runs one of the two steps that go in the order of the batches. */
static void
in_turn(struct ingest *g, uint64_t *turn, struct batch *b,
    enum err (*step)(struct ingest *, struct batch *))
{
	enum err e = ERR_OK;

	pthread_mutex_lock(&g->lock);
	while (*turn != b->seq)
		pthread_cond_wait(&g->turn, &g->lock);
	if (!g->stop)
		e = step(g, b);
	if (e != ERR_OK)
		stop(g, e);
	++*turn;
	pthread_cond_broadcast(&g->turn);
	pthread_mutex_unlock(&g->lock);
}

static enum err
finish(struct ingest *g, struct batch *b)
{
	enum err e = append(g, b);

	return e == ERR_OK && b->seq % 16 == 0 ? tell(g, b->from) : e;
}

static struct batch *
batch_new(size_t stride)
{
	struct batch *b = calloc(1, sizeof *b);

	if (b)
		b->sigs = malloc((size_t)BATCH * 2 * stride);
	if (b && b->sigs)
		return b;
	free(b);
	return NULL;
}

static void
batch_free(struct batch *b)
{
	if (!b)
		return;
	free(b->copy);
	free(b->scratch);
	free(b->units);
	free(b->sigs);
	free(b);
}

static enum err
open_rows(struct ingest *g, struct row_reader *r, struct batch *b)
{
	size_t at = 0;

	if (b->bytes > b->scratch_cap) {
		size_t cap = b->bytes + b->bytes / 4;

		if (!grow(&b->scratch, cap, 1) ||
		    !grow(&b->units, cap, sizeof *b->units))
			return ERR_NOMEM;
		b->scratch_cap = cap;
	}
	for (unsigned i = 0; i < b->n; i++) {
		row_open(r, b->p + (b->at[i].offset - b->from), b->at[i].len,
		    b->at[i].flags, b->scratch + at, b->units + at,
		    &b->row[i], &b->facts[i]);
		at += b->at[i].len;
	}
	return ERR_OK;
}

static void
read_people(struct ingest *g, struct row_reader *r, struct batch *b)
{
	size_t stride = g->sigs->stride;

	for (unsigned i = 0; i < b->n; i++) {
		uint8_t *sigs = b->sigs + (size_t)i * 2 * stride;

		b->sig_hash[i] = 0;
		if (b->same[i] != b->first_row + i)
			continue;
		row_people(r, &b->row[i], sigs, &b->facts[i]);
		if (g->o->dedup && !g->o->schema && b->facts[i].nsigs &&
		    strong((const struct sig *)sigs))
			b->sig_hash[i] = hash64(sigs, b->facts[i].nsigs *
			    stride, b->facts[i].nsigs);
	}
}

static void *
ingest_work(void *arg)
{
	struct ingest *g = arg;
	struct table *t = g->t;
	struct batch *b = batch_new(g->sigs->stride);
	struct row_reader r = {0};
	enum err e = b ? ERR_OK : ERR_NOMEM;

	if (e == ERR_OK)
		e = row_reader_init(&r, &t->cols, g->o->schema, g->o->names,
		    g->o->places, t->usual, t->sep);
	while (e == ERR_OK && take(g, b)) {
		e = open_rows(g, &r, b);
		if (e != ERR_OK)
			b->n = 0;
		in_turn(g, &g->known, b, find_equal);
		read_people(g, &r, b);
		in_turn(g, &g->done, b, finish);
	}
	if (e != ERR_OK) {
		pthread_mutex_lock(&g->lock);
		stop(g, e);
		pthread_mutex_unlock(&g->lock);
	}
	row_reader_fini(&r);
	batch_free(b);
	return NULL;
}

/* The encoding of most lines at the start that are not plain ASCII. */
static enum text_enc
usual_encoding(struct csv csv)
{
	unsigned n[ENC_COUNT] = {0}, best = ENC_ASCII;
	struct csv_row row;

	csv.more = false;
	for (int i = 0; i < 2000 && csv_next(&csv, &row); i++)
		n[text_guess(csv.p + row.offset, row.len, ENC_ASCII)]++;
	n[ENC_ASCII] = 0;
	for (unsigned e = 1; e < ENC_COUNT; e++)
		if (n[e] > n[best])
			best = e;
	return best == ENC_ASCII ? ENC_UTF8 : best;
}

/* A regular file is mapped, anything else read through the window. */
static enum err
open_input(struct ingest *g, char *why, size_t why_cap)
{
	struct table *t = g->t;
	const char *path = g->o->path;
	struct stat st;
	enum err e;

	if (g->o->data) {
		t->p = g->o->data;
		t->len = g->o->len;
		csv_open(&g->csv, t->p, t->len);
		return ERR_OK;
	}
	if (strcmp(path, "-") != 0 && (stat(path, &st) != 0 ||
	    S_ISREG(st.st_mode))) {
		size_t len;

		e = file_map_text(path, &t->p, &len, &t->made, why, why_cap);
		if (e != ERR_OK) {
			t->p = NULL;
			return e;
		}
		t->len = len;
		csv_open(&g->csv, t->p, len);
		return ERR_OK;
	}
	snprintf(why, why_cap, "%s: not a regular file, and no pipe", path);
	/* Rows of ours are looked at again. */
	if (g->o->keys) {
		snprintf(why, why_cap, "%s: not a regular file", path);
		return ERR_FORMAT;
	}
	if (strcmp(path, "-") != 0 && S_ISDIR(st.st_mode))
		return ERR_IO;
	g->fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) :
	    open(path, O_RDONLY | O_CLOEXEC);
	if (g->fd < 0)
		return ERR_IO;
	g->window = malloc(WINDOW);
	if (!g->window)
		return ERR_NOMEM;
	g->csv = (struct csv){.p = g->window};
	e = refill(g);
	if (e == ERR_OK && (text_utf16_guess(g->csv.p, g->csv.len) ||
	    bare_cr(g->csv.p, g->csv.len))) {
		snprintf(why, why_cap, "%s: UTF-16 and lines that end in CR "
		    "alone are read from a file only, not from a pipe", path);
		return ERR_FORMAT;
	}
	if (e == ERR_OK) {
		bool more = g->csv.more;

		csv_open(&g->csv, g->window, g->csv.len);
		g->csv.more = more;
	}
	return e;
}

enum err
table_read(struct table *t, struct sigs *sigs, const struct table_options *o,
    char *why, size_t why_cap)
{
	struct ingest g = {.t = t, .sigs = sigs, .o = o, .fd = -1,
	    .lock = PTHREAD_MUTEX_INITIALIZER,
	    .turn = PTHREAD_COND_INITIALIZER};
	struct csv_row header;
	pthread_t th[16];
	unsigned n = o->threads < 1 ? 1 : o->threads > 16 ? 16 : o->threads;
	bool started[16] = {false};
	char what[256] = "";
	enum err e;

	memset(t, 0, sizeof *t);
	t->path = o->path;
	t->cols.key = -1;
	g.begin_us = clock_mono_us();
	e = open_input(&g, why, why_cap);
	if (e != ERR_OK)
		goto out;
	e = columns_guess(&t->cols, g.csv.p, g.csv.len, o->told, o->schema,
	    what, sizeof what);
	if (e != ERR_OK) {
		snprintf(why, why_cap, "%s: %s", o->path ? o->path : "",
		    what);
		goto out;
	}
	t->sep = g.csv.sep;
	t->usual = usual_encoding(g.csv);
	t->base = sigs->n;
	if (t->cols.header)
		csv_next(&g.csv, &header);
	for (unsigned i = 1; i < n; i++)
		started[i] = pthread_create(&th[i], NULL, ingest_work, &g) ==
		    0;
	ingest_work(&g);
	for (unsigned i = 1; i < n; i++)
		if (started[i])
			pthread_join(th[i], NULL);
	e = g.err;
	if (t->p && t->len && !o->data && !t->made.copy) {
		madvise((void *)(uintptr_t)t->p, t->len, MADV_DONTNEED);
		madvise((void *)(uintptr_t)t->p, t->len, MADV_NORMAL);
	}
	if (e != ERR_OK && e != ERR_CLOSED)
		snprintf(why, why_cap, "%s", o->path ? o->path : "");
out:
	if (g.fd >= 0)
		close(g.fd);
	free(g.window);
	free(g.equal.v);
	free(g.alike.v);
	return e;
}

void
table_fini(struct table *t)
{
	columns_fini(&t->cols);
	if (t->path && t->p)
		file_unmap(t->p, t->len);
	free(t->offset);
	free(t->first);
	free(t->remark);
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

uint64_t
table_source(const struct table *t, size_t row, struct table_source *at)
{
	if (!t->made.utf16)
		return t->offset[row];
	/* One unit a character, two for those of four bytes. */
	for (; at->text < t->offset[row]; at->text++)
		if ((t->p[at->text] & 0xc0) != 0x80)
			at->file += t->p[at->text] >= 0xf0 ? 4 : 2;
	return at->file;
}

void
table_release(const struct table *t, size_t from, size_t to)
{
	uint64_t page = 4095, a, b;

	if (!t->path || !t->p || t->made.copy || from >= to || to >= t->nrows)
		return;
	a = (t->offset[from] + page) & ~page;
	b = t->offset[to] & ~page;
	if (a < b)
		madvise((void *)(uintptr_t)(t->p + a), b - a, MADV_DONTNEED);
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
