/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reader of nodeToString() text. Invariant: what the server wrote as one name is
 * never read as two tokens, because names are the users' own and could then
 * forge fields.
 *
 * Two things of the format make that delicate (PostgreSQL 15: outToken() in
 * outfuncs.c, format_node_dump() in print.c). Space, newline, tab, (){} and
 * backslash inside a name are escaped by a backslash. Then the text is folded to
 * lines of 78 bytes: a space (an escaped one too) becomes a newline, but a line
 * without any space is cut in the middle of its token. The cut cannot be told
 * from a space, so text that may have one is refused (ERR_FORMAT): it takes a
 * name of 39 characters that need escapes. The text must come unconverted, that
 * is in the server's own encoding: all of those leave ASCII bytes alone.
 */
#include "pg/tree.h"

#include <stdlib.h>
#include <string.h>

#define FOLD_BYTES 78u
#define TREE_MAX_NODES (4u << 20)	/* 224 MiB, some 300,000 constants */
#define CHUNK_NODES 1024u

struct chunk {
	struct chunk *next;
	size_t used;
	struct tree v[CHUNK_NODES];
};

struct tree_doc {
	struct chunk *chunks;
	struct tree *root;
	size_t count;
	const char *p, *begin, *end;
	enum err err;
};

static struct tree *read_value(struct tree_doc *, unsigned);

static struct tree *
node_new(struct tree_doc *d, enum tree_kind kind, const char *text, size_t len)
{
	struct chunk *c = d->chunks;
	struct tree *t;

	if (d->count >= TREE_MAX_NODES) {
		d->err = ERR_TOOBIG;
		return NULL;
	}
	if (c == NULL || c->used == CHUNK_NODES) {
		c = malloc(sizeof(*c));
		if (c == NULL) {
			d->err = ERR_NOMEM;
			return NULL;
		}
		c->used = 0;
		c->next = d->chunks;
		d->chunks = c;
	}
	d->count++;
	t = &c->v[c->used++];
	*t = (struct tree){.kind = kind, .text = text, .len = len};
	return t;
}

static struct tree *
bad(struct tree_doc *d)
{
	if (d->err == ERR_OK)
		d->err = ERR_FORMAT;
	return NULL;
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\t';
}

static bool
is_bracket(char c)
{
	return c == '(' || c == ')' || c == '{' || c == '}';
}

/* The newline at p may have been put into the middle of a token. */
static bool
cut_here(const struct tree_doc *d, const char *p)
{
	size_t before = (size_t)(p - d->begin);

	if (before < FOLD_BYTES)
		return false;
	if (before > FOLD_BYTES && p[-(ptrdiff_t)FOLD_BYTES - 1] != '\n')
		return false;
	return memchr(p - (FOLD_BYTES - 1), ' ', FOLD_BYTES - 1) == NULL;
}

static bool
skip_space(struct tree_doc *d)
{
	while (d->p < d->end && is_space(*d->p)) {
		if (*d->p == '\n' && cut_here(d, d->p)) {
			bad(d);
			return false;
		}
		d->p++;
	}
	return true;
}

/* The token at p, which is at neither space nor bracket. */
static bool
read_token(struct tree_doc *d, const char **text, size_t *len)
{
	*text = d->p;
	while (d->p < d->end && !is_space(*d->p) && !is_bracket(*d->p)) {
		if (*d->p == '\\') {
			d->p++;
			if (d->p == d->end || *d->p == '\0' ||
			    (*d->p == '\n' && cut_here(d, d->p))) {
				bad(d);
				return false;
			}
		}
		if (*d->p == '\0') {
			bad(d);
			return false;
		}
		d->p++;
	}
	*len = (size_t)(d->p - *text);
	if (*len == 0)
		bad(d);
	return *len > 0;
}

/* After an atom: ` [ 1 2 3 ]`, the bytes of a Const, becomes part of it. */
static bool
read_datum(struct tree_doc *d, struct tree *t)
{
	const char *end;

	if (!skip_space(d))
		return false;
	if (d->p == d->end || *d->p != '[')
		return true;
	end = memchr(d->p, ']', (size_t)(d->end - d->p));
	if (end == NULL) {
		bad(d);
		return false;
	}
	for (const char *q = d->p + 1; q < end; q++) {
		if (!is_space(*q) && *q != '-' && (*q < '0' || *q > '9')) {
			bad(d);
			return false;
		}
	}
	d->p = end + 1;
	t->len = (size_t)(d->p - t->text);
	return true;
}

static struct tree *
read_node(struct tree_doc *d, unsigned depth)
{
	struct tree *t, *value, **tail;
	const char *text;
	size_t len;

	d->p++;
	if (!skip_space(d) || !read_token(d, &text, &len))
		return NULL;
	t = node_new(d, TREE_NODE, text, len);
	if (t == NULL)
		return NULL;
	tail = &t->first;
	for (;;) {
		if (!skip_space(d))
			return NULL;
		if (d->p == d->end)
			return bad(d);
		if (*d->p == '}') {
			d->p++;
			return t;
		}
		if (*d->p != ':' || !read_token(d, &text, &len) || len < 2 ||
		    !skip_space(d) || d->p == d->end || *d->p == ':')
			return bad(d);
		value = read_value(d, depth);
		if (value == NULL)
			return NULL;
		if (value->kind == TREE_ATOM && !read_datum(d, value))
			return NULL;
		value->field = text + 1;
		value->field_len = len - 1;
		*tail = value;
		tail = &value->next;
	}
}

static struct tree *
read_list(struct tree_doc *d, unsigned depth)
{
	struct tree *t, *value, **tail;

	d->p++;
	t = node_new(d, TREE_LIST, NULL, 0);
	if (t == NULL)
		return NULL;
	tail = &t->first;
	for (;;) {
		if (!skip_space(d))
			return NULL;
		if (d->p == d->end)
			return bad(d);
		if (*d->p == ')') {
			d->p++;
			return t;
		}
		value = read_value(d, depth);
		if (value == NULL)
			return NULL;
		*tail = value;
		tail = &value->next;
	}
}

static struct tree *
read_value(struct tree_doc *d, unsigned depth)
{
	const char *text;
	size_t len;

	if (depth == 0) {
		d->err = ERR_TOOBIG;
		return NULL;
	}
	if (*d->p == '{')
		return read_node(d, depth - 1);
	if (*d->p == '(')
		return read_list(d, depth - 1);
	if (!read_token(d, &text, &len))
		return NULL;
	if (len == 2 && memcmp(text, "<>", 2) == 0)
		return node_new(d, TREE_NULL, NULL, 0);
	return node_new(d, TREE_ATOM, text, len);
}

enum err
tree_parse(struct tree_doc **out, const char *text, size_t len)
{
	struct tree_doc *d;
	enum err e;

	*out = NULL;
	if (len > TREE_MAX_BYTES)
		return ERR_TOOBIG;
	d = calloc(1, sizeof(*d));
	if (d == NULL)
		return ERR_NOMEM;
	d->p = d->begin = text;
	d->end = text + len;
	if (len > 0 && skip_space(d) && d->p < d->end)
		d->root = read_value(d, TREE_MAX_DEPTH);
	if (d->err == ERR_OK && d->root != NULL)
		(void)skip_space(d);
	if (d->root == NULL || d->p != d->end)
		bad(d);
	e = d->err;
	if (e == ERR_OK)
		*out = d;
	else
		tree_free(d);
	return e;
}

void
tree_free(struct tree_doc *d)
{
	struct chunk *c, *next;

	if (d == NULL)
		return;
	for (c = d->chunks; c != NULL; c = next) {
		next = c->next;
		free(c);
	}
	free(d);
}

const struct tree *
tree_root(const struct tree_doc *d)
{
	return d->root;
}

bool
tree_is(const struct tree *t, const char *label)
{
	size_t n = strlen(label);

	return t != NULL && t->kind == TREE_NODE && t->len == n &&
	    memcmp(t->text, label, n) == 0;
}

const struct tree *
tree_get(const struct tree *t, const char *field)
{
	size_t n = strlen(field);
	const struct tree *f;

	if (t == NULL || t->kind != TREE_NODE)
		return NULL;
	for (f = t->first; f != NULL; f = f->next)
		if (f->field_len == n && memcmp(f->field, field, n) == 0)
			return f;
	return NULL;
}

bool
tree_atom_int(const struct tree *t, int64_t *out)
{
	bool minus;
	uint64_t v = 0;
	size_t i;

	if (t == NULL || t->kind != TREE_ATOM)
		return false;
	minus = t->len > 1 && t->text[0] == '-';
	if (t->len - minus == 0 || t->len - minus > 18)
		return false;
	for (i = minus; i < t->len; i++) {
		if (t->text[i] < '0' || t->text[i] > '9')
			return false;
		v = v * 10 + (uint64_t)(t->text[i] - '0');
	}
	*out = minus ? -(int64_t)v : (int64_t)v;
	return true;
}

int64_t
tree_int(const struct tree *t, const char *field, int64_t missing)
{
	int64_t v;

	return tree_atom_int(tree_get(t, field), &v) ? v : missing;
}

bool
tree_bool(const struct tree *t, const char *field)
{
	const struct tree *f = tree_get(t, field);

	return f != NULL && f->kind == TREE_ATOM && f->len == 4 &&
	    memcmp(f->text, "true", 4) == 0;
}

size_t
tree_name(const struct tree *t, char *out, size_t cap)
{
	const char *p, *end;
	size_t n = 0;

	if (cap == 0)
		return 0;
	out[0] = '\0';
	if (t == NULL || t->kind != TREE_ATOM)
		return 0;
	p = t->text;
	end = p + t->len;
	if (t->len >= 2 && *p == '"' && end[-1] == '"') {
		p++;
		end--;
	}
	for (; p < end; p++) {
		char c = *p;

		if (c == '\\' && p + 1 < end)
			c = *++p == '\n' ? ' ' : *p;
		if (n + 1 >= cap)
			return 0;
		out[n++] = c;
	}
	out[n] = '\0';
	return n;
}
