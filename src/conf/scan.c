/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/parts.h"

#include <libintl.h>
#include <stdlib.h>
#include <string.h>

#define _(s) gettext(s)

enum { SCAN_MAX_DEPTH = 8 };

enum token { TOK_END, TOK_WORD, TOK_EQUALS, TOK_OPEN, TOK_CLOSE, TOK_OTHER, TOK_BAD };

struct scanner {
	char *p;
	int line;
	const char *word;	/* of the last TOK_WORD, without quotes */
	size_t len;
	struct conf_notes *notes;
};

static bool
is_word(const char *p)
{
	return *p != '\0' && strchr(" #\"'\t\n\r={}()+,*", *p) == NULL;
}

static enum token
variable(struct scanner *s)
{
	notes_add(s->notes, CONF_ERROR, s->line,
	    _("${...} is not replaced here; write the value itself, and keep "
	    "passwords in a passfile"));
	return TOK_BAD;
}

static enum token
quoted(struct scanner *s)
{
	char quote = *s->p++;
	int from = s->line;

	s->word = s->p;
	for (; *s->p != quote; s->p++) {
		if (quote == '"' && s->p[0] == '$' && s->p[1] == '{')
			return variable(s);
		if (quote == '"' && *s->p == '\\' && s->p[1] >= '0' && s->p[1] <= '9') {
			notes_add(s->notes, CONF_ERROR, s->line,
			    _("\\%c is not an escape here; write the character itself"),
			    s->p[1]);
			return TOK_BAD;
		}
		if (*s->p == '\\' && s->p[1] != '\0')
			s->p++;
		if (*s->p == '\0') {
			notes_add(s->notes, CONF_ERROR, from,
			    _("a string begins here and never ends; a %c is "
			    "missing"), quote);
			return TOK_BAD;
		}
		if (*s->p == '\n')
			s->line++;
	}
	s->len = (size_t)(s->p - s->word);
	s->p++;
	return TOK_WORD;
}

/*
 * Skips blanks and comments, and blanks the comments: libconfuse miscounts their
 * lines. false: a comment does not end.
 */
static bool
blanks(struct scanner *s)
{
	for (;;) {
		int from = s->line;

		while (*s->p != '\0' && strchr(" \t\r\n", *s->p) != NULL)
			s->line += *s->p++ == '\n';
		if (*s->p == '#' || (s->p[0] == '/' && s->p[1] == '/')) {
			while (*s->p != '\n' && *s->p != '\0')
				*s->p++ = ' ';
		} else if (s->p[0] == '/' && s->p[1] == '*') {
			char *end = strstr(s->p + 2, "*/");

			if (end == NULL) {
				notes_add(s->notes, CONF_ERROR, from,
				    _("a comment begins here and never ends"));
				return false;
			}
			for (; s->p < end + 2; s->p++)
				if (*s->p != '\n')
					*s->p = ' ';
				else
					s->line++;
		} else {
			return true;
		}
	}
}

static enum token
next(struct scanner *s)
{
	if (!blanks(s))
		return TOK_BAD;
	switch (*s->p) {
	case '\0':
		return TOK_END;
	case '"':
	case '\'':
		return quoted(s);
	case '{':
		s->p++;
		return TOK_OPEN;
	case '}':
		s->p++;
		return TOK_CLOSE;
	case '=':
		s->p++;
		return TOK_EQUALS;
	case '+':
		s->p += s->p[1] == '=' ? 2 : 1;
		return s->p[-1] == '=' ? TOK_EQUALS : TOK_OTHER;
	}
	if (s->p[0] == '$' && s->p[1] == '{')
		return variable(s);
	if (!is_word(s->p)) {
		s->p++;
		return TOK_OTHER;
	}
	for (s->word = s->p; is_word(s->p); s->p++)
		;
	s->len = (size_t)(s->p - s->word);
	return TOK_WORD;
}

static enum err
mark(struct conf_marks *m, const char *name, size_t len, int line, int parent,
    bool section)
{
	struct conf_mark *v;

	if ((m->n & (m->n - 1)) == 0) {
		v = realloc(m->v, (m->n == 0 ? 1 : m->n * 2) * sizeof(*v));
		if (v == NULL)
			return ERR_NOMEM;
		m->v = v;
	}
	v = &m->v[m->n];
	*v = (struct conf_mark){strndup(name, len), line, parent, section};
	if (v->name == NULL)
		return ERR_NOMEM;
	m->n++;
	return ERR_OK;
}

static enum err
option(struct conf_marks *m, struct scanner *s, int line, int parent)
{
	if (memchr(s->word, '|', s->len) != NULL) {
		notes_add(s->notes, CONF_ERROR, line,
		    _("unknown option %.*s"), (int)s->len, s->word);
		return ERR_CONFIG;
	}
	for (size_t i = 0; i < m->n; i++)
		if (!m->v[i].section && m->v[i].parent == parent &&
		    strlen(m->v[i].name) == s->len &&
		    memcmp(m->v[i].name, s->word, s->len) == 0) {
			notes_add(s->notes, CONF_ERROR, line,
			    _("%s is set twice; the first is in line %d"),
			    m->v[i].name, m->v[i].line);
			return ERR_CONFIG;
		}
	return mark(m, s->word, s->len, line, parent, false);
}

enum err
scan_text(struct conf_marks *out, char *text, struct conf_notes *notes)
{
	struct scanner s = {.p = text, .line = 1, .notes = notes};
	int stack[SCAN_MAX_DEPTH] = {-1}, depth = 0, kind_line = 0, word_line = 0;
	const char *kind = NULL;	/* the word before the last one */
	size_t kind_len = 0;
	enum token t, before = TOK_OTHER;
	bool list = false;
	enum err e = ERR_OK;

	*out = (struct conf_marks){0};
	for (; e == ERR_OK; before = t) {
		const char *word = s.word;
		size_t len = s.len;

		if ((t = next(&s)) == TOK_END)
			break;
		if (t == TOK_BAD) {
			e = ERR_CONFIG;
		} else if (t == TOK_WORD) {
			kind = word;
			kind_len = len;
			kind_line = word_line;
			word_line = s.line;
		} else if (t == TOK_EQUALS && before == TOK_WORD) {
			e = option(out, &s, word_line, stack[depth]);
		} else if (t == TOK_OPEN && before == TOK_EQUALS) {
			list = true;
		} else if (t == TOK_CLOSE && list) {
			list = false;
		} else if (t == TOK_CLOSE && depth > 0) {
			depth--;
		} else if (t == TOK_OPEN && before == TOK_WORD && kind != NULL &&
		    depth + 1 < SCAN_MAX_DEPTH) {
			e = mark(out, kind, kind_len, kind_line, stack[depth], true);
			stack[++depth] = (int)out->n - 1;
		}
	}
	/* libconfuse takes the end of the file for the end of a section. */
	if (e == ERR_OK && depth > 0) {
		notes_add(notes, CONF_ERROR, out->v[stack[depth]].line,
		    _("the %s section that begins here never ends; a \"}\" is missing"),
		    out->v[stack[depth]].name);
		e = ERR_CONFIG;
	}
	if (e != ERR_OK)
		scan_fini(out);
	return e;
}

void
scan_fini(struct conf_marks *m)
{
	for (size_t i = 0; i < m->n; i++)
		free(m->v[i].name);
	free(m->v);
	*m = (struct conf_marks){0};
}

int
scan_section(const struct conf_marks *m, int parent, const char *name, size_t n)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->v[i].section && m->v[i].parent == parent &&
		    strcmp(m->v[i].name, name) == 0 && n-- == 0)
			return (int)i;
	return -1;
}

int
scan_line(const struct conf_marks *m, int section, const char *option)
{
	for (size_t i = 0; i < m->n; i++)
		if (!m->v[i].section && m->v[i].parent == section &&
		    strcmp(m->v[i].name, option) == 0)
			return m->v[i].line;
	return section >= 0 ? m->v[section].line : 0;
}
