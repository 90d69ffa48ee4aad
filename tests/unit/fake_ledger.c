/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_ledger.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "ledger/entry.h"
#include "ledger/sealed.h"

int64_t fake_now_us;
uint64_t fake_free = 1ull << 40;
int fake_fail_append = -1, fake_fail_commit = -1;
unsigned fake_commits;
const char *fake_stopped;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct slice *entries;
static size_t n, cap, durable;
static int64_t last_us;

struct ledger {
	bool broken;
};
struct sealed {
	uint64_t next;
};

void
fake_reset(void)
{
	for (size_t i = 0; i < n; i++)
		free((void *)(uintptr_t)entries[i].p);
	n = durable = 0;
	last_us = fake_now_us = 0;
	fake_free = 1ull << 40;
	fake_fail_append = fake_fail_commit = -1;
	fake_commits = 0;
	fake_stopped = NULL;
}

const char *
ledger_stopped(const struct ledger *l)
{
	(void)l;
	return fake_stopped;
}

void
ledger_stopped_noted(struct ledger *l)
{
	(void)l;
	must(durable == n);
	fake_stopped = NULL;
}

size_t
fake_count(void)
{
	size_t r;

	pthread_mutex_lock(&lock);
	r = n;
	pthread_mutex_unlock(&lock);
	return r;
}

struct slice
fake_entry(size_t i)
{
	struct slice r;

	pthread_mutex_lock(&lock);
	r = entries[i];
	pthread_mutex_unlock(&lock);
	return r;
}

size_t
fake_find(const char *a, const char *b)
{
	size_t count = 0;

	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < n; i++)
		count += memmem(entries[i].p, entries[i].len, a, strlen(a)) != NULL &&
		    memmem(entries[i].p, entries[i].len, b, strlen(b)) != NULL;
	pthread_mutex_unlock(&lock);
	return count;
}

enum err
ledger_open(struct ledger **out, const struct ledger_options *o, char *why,
    size_t why_cap)
{
	enum err err = ERR_OK;

	n = durable;
	for (size_t i = o->replay_from; o->replay && i < n && err == ERR_OK; i++)
		err = o->replay(o->arg, i, entries[i]);
	if (err == ERR_OK)
		*out = calloc(1, sizeof(**out));
	return err;
}

void
ledger_close(struct ledger *l)
{
	if (l != NULL && !l->broken)
		durable = n;
	free(l);
}

struct check {
	const uint64_t *v;
	size_t n, i;
};

static enum err
check_token(void *arg, unsigned domain, uint64_t token)
{
	struct check *c = arg;

	return c->i < c->n && c->v[c->i++] == token ? ERR_OK : ERR_FORMAT;
}

enum err
ledger_append(struct ledger *l, const void *entry, size_t len,
    const uint64_t *tokens, size_t ntokens, uint64_t *index)
{
	struct check c = {tokens, ntokens, 0};
	struct entry_front f;
	uint8_t *p;

	if (l->broken)
		return ERR_BROKEN;
	if (fake_fail_append == 0)
		return ERR_NOSPACE;
	if (fake_fail_append > 0)
		fake_fail_append--;
	must(len <= LEDGER_ENTRY_MAX);
	/* As the real one: the tokens are those of the entry. */
	if (entry_front(&f, (struct slice){entry, len}) != ERR_OK ||
	    entry_tokens((struct slice){entry, len}, check_token, &c) != ERR_OK ||
	    c.i != ntokens)
		return ERR_FORMAT;
	must(f.time_us >= last_us);
	last_us = f.time_us;
	must((p = malloc(len)) != NULL);
	memcpy(p, entry, len);
	pthread_mutex_lock(&lock);
	if (n == cap) {
		cap = cap ? 2 * cap : 64;
		must((entries = realloc(entries, cap * sizeof(*entries))) != NULL);
	}
	entries[n] = (struct slice){p, len};
	*index = n++;
	pthread_mutex_unlock(&lock);
	return ERR_OK;
}

enum err
ledger_commit(struct ledger *l)
{
	if (l->broken)
		return ERR_BROKEN;
	if (durable == n)
		return ERR_OK;
	if (fake_fail_commit == 0) {
		l->broken = true;
		return ERR_BROKEN;
	}
	if (fake_fail_commit > 0)
		fake_fail_commit--;
	fake_commits++;
	durable = n;
	return ERR_OK;
}

enum err
ledger_checkpoint(struct ledger *l)
{
	return ledger_commit(l);
}

uint64_t
ledger_size(const struct ledger *l)
{
	return durable;
}

int64_t
ledger_time_us(struct ledger *l)
{
	int64_t now = fake_now_us ? fake_now_us : clock_wall_us();

	return now > last_us ? now : last_us;
}

uint64_t
ledger_free_bytes(const struct ledger *l)
{
	return fake_free;
}

/* --- originals ---------------------------------------------------------- */

enum err
sealed_open(struct sealed **out, const char *dir, const struct vfs *vfs)
{
	must((*out = calloc(1, sizeof(**out))) != NULL);
	return ERR_OK;
}

void
sealed_close(struct sealed *s)
{
	free(s);
}

enum err
sealed_put(struct sealed *s, struct slice text, uint64_t *record,
    uint8_t commitment[SEALED_COMMITMENT_BYTES])
{
	*record = ++s->next;
	memset(commitment, 0xab, SEALED_COMMITMENT_BYTES);
	return ERR_OK;
}

enum err
sealed_flush(struct sealed *s)
{
	return ERR_OK;
}

/* --- reading ------------------------------------------------------------ */

struct ledger_reader {
	int unused;
};

enum err
ledger_reader_open(struct ledger_reader **out, const char *dir,
    const struct vfs *vfs)
{
	must((*out = calloc(1, sizeof(**out))) != NULL);
	return ERR_OK;
}

void
ledger_reader_close(struct ledger_reader *r)
{
	free(r);
}

uint64_t
ledger_reader_size(struct ledger_reader *r)
{
	return durable;
}

enum err
ledger_read(struct ledger_reader *r, uint64_t index, struct slice *entry)
{
	if (index >= durable)
		return ERR_NOTFOUND;
	*entry = entries[index];
	return ERR_OK;
}
