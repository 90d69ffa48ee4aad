/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reader: text -> scan (places, duplicates) -> libconfuse (syntax) -> the
 * option table (values into the structs) -> check (across options).
 *
 * libconfuse reads every value as a string; types are ours, so that a message
 * says what is expected. Its parser has static state: one thread only.
 */
#include "conf/conf.h"

#include <confuse.h>
#include <errno.h>
#include <fcntl.h>
#include <libintl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/parts.h"

#define _(s) gettext(s)

const char *const conf_window_name[WINDOW_COUNT] = {"day", "30days", "year", "ever"};

enum kind { TEXT, LIST, NUMBER, LIMIT, YESNO, EXCESS, PERSONAL, DDL, LANGUAGE };

static const struct option {
	enum conf_scope scope;
	const char *name;
	enum kind kind;
	size_t offset, count_offset;
	const char *def;
	uint64_t low, high;
} options[] = {
#define STRUCT_ROOT struct conf
#define STRUCT_DATABASE struct conf_database
#define STRUCT_TABLE struct conf_table
#define STRUCT_FUNCTION struct conf_function
#define STRUCT_ROLE struct conf_role
#define OPT(scope, name, kind, field, def, low, high, text) \
	{SCOPE_##scope, name, kind, offsetof(STRUCT_##scope, field), 0, def, low, high},
#define LIST(scope, name, field, count, def, text) \
	{SCOPE_##scope, name, LIST, offsetof(STRUCT_##scope, field), \
	    offsetof(STRUCT_##scope, count), def, 0, 0},
#include "conf/conf.tbl.h"
#undef OPT
#undef LIST
};
enum { NOPTIONS = sizeof(options) / sizeof(*options) };

/* The sections: name, where they are written, what they hold. */
static const struct {
	const char *name;
	enum conf_scope scope, parent;
} sections[] = {
	{"database", SCOPE_DATABASE, SCOPE_ROOT},
	{"table", SCOPE_TABLE, SCOPE_DATABASE},
	{"function", SCOPE_FUNCTION, SCOPE_DATABASE},
	{"role", SCOPE_ROLE, SCOPE_ROOT},
};
enum { NSECTIONS = sizeof(sections) / sizeof(*sections) };

/* Values of the kinds that are words; the index is what is stored. */
static const char *const words_excess[] = {"refuse", "hold", "observe", NULL};
static const char *const words_personal[] = {"", "none", NULL};
static const char *const words_ddl[] = {"refuse", "allow", NULL};
static const char *const words_language[] = {"en", "ja", NULL};

struct reader {
	struct conf_marks marks;
	struct conf_notes *notes;
	bool failed;
};

/* libconfuse's error callback has no argument of ours. */
static struct reader *current;

static size_t
scope_words(const char **words, const char *section)
{
	enum conf_scope scope = SCOPE_ROOT;
	size_t n = 0;

	for (size_t i = 0; i < NSECTIONS; i++)
		if (strcmp(sections[i].name, section) == 0)
			scope = sections[i].scope;
	for (size_t i = 0; i < NOPTIONS; i++)
		if (options[i].scope == scope)
			words[n++] = options[i].name;
	for (size_t i = 0; i < NSECTIONS; i++)
		if (sections[i].parent == scope && sections[i].scope != scope)
			words[n++] = sections[i].name;
	words[n] = NULL;
	return n;
}

static void
unknown(cfg_t *cfg, const char *name)
{
	const char *words[NOPTIONS + NSECTIONS + 1], *near;
	char all[1024] = "";
	size_t n = scope_words(words, cfg->name), len = 0;
	bool root = strcmp(cfg->name, "root") == 0;

	if ((near = word_nearest(name, words)) != NULL) {
		notes_add(current->notes, CONF_ERROR, cfg->line,
		    _("unknown option %s; is it %s?"), name, near);
		return;
	}
	for (size_t i = 0; i < n && len < sizeof(all); i++)
		len += (size_t)snprintf(all + len, sizeof(all) - len, " %s", words[i]);
	if (root)
		notes_add(current->notes, CONF_ERROR, cfg->line,
		    _("unknown option %s; expected one of:%s"), name, all);
	else
		notes_add(current->notes, CONF_ERROR, cfg->line,
		    _("unknown option %s in a %s section; expected one of:%s"),
		    name, cfg->name, all);
}

static void
confuse_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	struct conf_notes *notes = current->notes;
	char text[512], word[256];
	size_t len;

	vsnprintf(text, sizeof(text), fmt, ap);
	current->failed = true;
	/* Its messages end with the word in quotes, when there is one. */
	word[0] = '\0';
	len = strlen(text);
	if (len > 2 && text[len - 1] == '\'' && strchr(text, '\'') != text + len - 1)
		snprintf(word, sizeof(word), "%.*s",
		    (int)(text + len - strchr(text, '\'') - 2), strchr(text, '\'') + 1);

	if (strncmp(text, "no such option", 14) == 0)
		unknown(cfg, word);
	else if (strncmp(text, "found duplicate title", 21) == 0)
		notes_add(notes, CONF_ERROR, cfg->line,
		    _("%s is defined twice; give each its own name"), word);
	else if (strncmp(text, "missing equal sign", 18) == 0)
		notes_add(notes, CONF_ERROR, cfg->line,
		    _("\"=\" is missing after %s; expected: %s = value"), word, word);
	else if (strncmp(text, "missing title", 13) == 0)
		notes_add(notes, CONF_ERROR, cfg->line,
		    _("a name is missing; expected: %s \"name\" { ... }"), word);
	else if (strncmp(text, "missing opening brace", 21) == 0)
		notes_add(notes, CONF_ERROR, cfg->line,
		    _("\"{\" is missing; expected: %s \"name\" { ... }"), word);
	else if (strncmp(text, "unexpected closing brace", 24) == 0)
		notes_add(notes, CONF_ERROR, cfg->line,
		    _("\"}\" closes nothing; remove it or look for a missing \"{\""));
	else if (strncmp(text, "premature end", 13) == 0)
		notes_add(notes, CONF_ERROR, cfg->line,
		    _("the file ends too early; a \"}\" or a value is missing"));
	else if (strncmp(text, "unexpected token", 16) == 0)
		notes_add(notes, CONF_ERROR, cfg->line,
		    _("unexpected \"%s\"; expected a value, a \",\" or a \"}\""), word);
	else if (strncmp(text, "attempt to append", 17) == 0)
		notes_add(notes, CONF_ERROR, cfg->line,
		    _("%s takes one value; expected: %s = value"), word, word);
	else
		notes_add(notes, CONF_ERROR, cfg->line, "%s", text);
}

static void
scope_opts(cfg_opt_t *out, enum conf_scope scope, cfg_opt_t (*sub)[NOPTIONS])
{
	cfg_opt_t end = CFG_END();
	size_t n = 0;

	for (size_t i = 0; i < NOPTIONS; i++)
		if (options[i].scope == scope) {
			cfg_opt_t text = CFG_STR(options[i].name, NULL, CFGF_NODEFAULT);
			cfg_opt_t list = CFG_STR_LIST(options[i].name, NULL, CFGF_NODEFAULT);

			out[n++] = options[i].kind == LIST ? list : text;
		}
	for (size_t i = 0; i < NSECTIONS; i++)
		if (sections[i].parent == scope && sections[i].scope != scope) {
			cfg_opt_t sec = CFG_SEC(sections[i].name, sub[sections[i].scope],
			    CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES | CFGF_NODEFAULT);

			out[n++] = sec;
		}
	out[n] = end;
}

static bool
word_index(const char *const *words, const char *s, unsigned *out)
{
	for (unsigned i = 0; words[i] != NULL; i++)
		if (strcmp(words[i], s) == 0) {
			*out = i;
			return true;
		}
	return false;
}

static const char *const *
kind_words(enum kind k)
{
	switch (k) {
	case EXCESS:
		return words_excess;
	case PERSONAL:
		return words_personal;
	case DDL:
		return words_ddl;
	default:
		return words_language;
	}
}

static bool
number_read(const struct option *o, const char *s, uint64_t *out)
{
	char *end;

	if (*s < '0' || *s > '9')
		return false;
	errno = 0;
	*out = strtoull(s, &end, 10);
	return errno == 0 && *end == '\0' && *out >= o->low && *out <= o->high;
}

/* One value into its field. */
static void
set(struct reader *r, const struct option *o, void *base, const char *s, int line)
{
	void *field = (char *)base + o->offset;
	uint64_t n;
	unsigned w;
	int yes;

	switch (o->kind) {
	case TEXT:
		if (*s == '\0')
			notes_add(r->notes, CONF_ERROR, line,
			    _("%s is empty; write a value or leave it out"), o->name);
		must((*(char **)field = strdup(s)) != NULL);
		return;
	case NUMBER:
	case LIMIT:
		if (!number_read(o, s, &n))
			notes_add(r->notes, CONF_ERROR, line,
			    _("%s = %s; expected a whole number from %llu to %llu"),
			    o->name, s, (unsigned long long)o->low,
			    (unsigned long long)o->high);
		else if (o->kind == LIMIT)
			*(uint64_t *)field = n;
		else
			*(unsigned *)field = (unsigned)n;
		return;
	case YESNO:
		if ((yes = cfg_parse_boolean(s)) < 0)
			notes_add(r->notes, CONF_ERROR, line,
			    _("%s = %s; expected true or false"), o->name, s);
		*(bool *)field = yes > 0;
		return;
	case EXCESS:
	case PERSONAL:
	case DDL:
	case LANGUAGE:
		if (*s == '\0' || !word_index(kind_words(o->kind), s, &w)) {
			const char *const *words = kind_words(o->kind);
			char all[64] = "";
			size_t len = 0;

			for (; *words != NULL; words++)
				if (**words != '\0')
					len += (size_t)snprintf(all + len,
					    sizeof(all) - len, " %s", *words);
			notes_add(r->notes, CONF_ERROR, line,
			    _("%s = \"%s\"; expected one of:%s"), o->name, s, all);
		} else if (o->kind == EXCESS) {
			*(enum conf_excess *)field = (enum conf_excess)w;
		} else if (o->kind == LANGUAGE) {
			must((*(char **)field = strdup(s)) != NULL);
		} else {
			*(bool *)field = w == 1;
		}
		return;
	case LIST:
		must(false);
	}
}

static void
set_list(struct reader *r, const struct option *o, void *base, cfg_opt_t *opt,
    int line)
{
	size_t n = opt != NULL ? cfg_opt_size(opt) : 0;
	const char *s = o->def;
	char **v;

	if (n == 0 && s == NULL)
		return;
	must((v = calloc(n == 0 ? 1 : n, sizeof(*v))) != NULL);
	for (size_t i = 0; i < (n == 0 ? 1 : n); i++) {
		if (n > 0)
			s = cfg_opt_getnstr(opt, (unsigned)i);
		if (*s == '\0')
			notes_add(r->notes, CONF_ERROR, line,
			    _("%s has an empty value; write a value or leave it out"),
			    o->name);
		must((v[i] = strdup(s)) != NULL);
		for (size_t j = 0; j < i; j++)
			if (strcmp(v[j], s) == 0)
				notes_add(r->notes, CONF_ERROR, line,
				    _("%s names \"%s\" twice"), o->name, s);
	}
	*(char ***)((char *)base + o->offset) = v;
	*(size_t *)((char *)base + o->count_offset) = n == 0 ? 1 : n;
}

static void
fill(struct reader *r, enum conf_scope scope, cfg_t *cfg, void *base, int section)
{
	for (size_t i = 0; i < NOPTIONS; i++) {
		const struct option *o = &options[i];
		cfg_opt_t *opt;
		int line;

		if (o->scope != scope)
			continue;
		opt = cfg_getopt(cfg, o->name);
		line = scan_line(&r->marks, section, o->name);
		if (o->kind == LIST) {
			set_list(r, o, base, opt, line);
			continue;
		}
		if (o->kind == LIMIT)
			*(uint64_t *)((char *)base + o->offset) = CONF_NO_LIMIT;
		if (opt != NULL && cfg_opt_size(opt) > 0)
			set(r, o, base, cfg_opt_getnstr(opt, 0), line);
		else if (o->def != NULL)
			set(r, o, base, o->def, line);
	}
}

static void
split_title(struct reader *r, const char *title, char **schema, char **name, int line)
{
	if (!name_split(title, schema, name))
		notes_add(r->notes, CONF_ERROR, line,
		    _("\"%s\" is not a name; expected \"schema.name\""), title);
}

static void
fill_database(struct reader *r, cfg_t *cfg, struct conf_database *d, int section)
{
	must((d->name = strdup(cfg_title(cfg))) != NULL);
	d->line = scan_line(&r->marks, section, "");
	fill(r, SCOPE_DATABASE, cfg, d, section);
	d->ntables = cfg_size(cfg, "table");
	d->nfunctions = cfg_size(cfg, "function");
	must((d->tables = calloc(d->ntables + 1, sizeof(*d->tables))) != NULL);
	must((d->functions = calloc(d->nfunctions + 1, sizeof(*d->functions))) != NULL);
	for (size_t i = 0; i < d->ntables; i++) {
		cfg_t *sub = cfg_getnsec(cfg, "table", (unsigned)i);
		int at = scan_section(&r->marks, section, "table", i);
		struct conf_table *t = &d->tables[i];

		t->line = scan_line(&r->marks, at, "");
		split_title(r, cfg_title(sub), &t->schema, &t->name, t->line);
		fill(r, SCOPE_TABLE, sub, t, at);
	}
	for (size_t i = 0; i < d->nfunctions; i++) {
		cfg_t *sub = cfg_getnsec(cfg, "function", (unsigned)i);
		int at = scan_section(&r->marks, section, "function", i);
		struct conf_function *f = &d->functions[i];

		f->line = scan_line(&r->marks, at, "");
		split_title(r, cfg_title(sub), &f->schema, &f->name, f->line);
		fill(r, SCOPE_FUNCTION, sub, f, at);
	}
}

static void
fill_all(struct reader *r, cfg_t *cfg, struct conf *c)
{
	fill(r, SCOPE_ROOT, cfg, c, -1);
	c->ndatabases = cfg_size(cfg, "database");
	c->nroles = cfg_size(cfg, "role");
	must((c->databases = calloc(c->ndatabases + 1, sizeof(*c->databases))) != NULL);
	must((c->roles = calloc(c->nroles + 1, sizeof(*c->roles))) != NULL);
	for (size_t i = 0; i < c->ndatabases; i++)
		fill_database(r, cfg_getnsec(cfg, "database", (unsigned)i),
		    &c->databases[i], scan_section(&r->marks, -1, "database", i));
	for (size_t i = 0; i < c->nroles; i++) {
		cfg_t *sub = cfg_getnsec(cfg, "role", (unsigned)i);
		int at = scan_section(&r->marks, -1, "role", i);

		must((c->roles[i].name = strdup(cfg_title(sub))) != NULL);
		c->roles[i].line = scan_line(&r->marks, at, "");
		fill(r, SCOPE_ROLE, sub, &c->roles[i], at);
	}
}

/* What the machine decides when the file does not. */
static void
fill_machine(struct conf *c)
{
	char host[HOST_NAME_MAX + 1] = "";
	const char *lang;

	if (c->workers == 0) {
		long n = sysconf(_SC_NPROCESSORS_ONLN);

		c->workers = n < 1 ? 1 : n > 8 ? 8 : (unsigned)n;
	}
	if (c->origin == NULL) {
		if (gethostname(host, sizeof(host) - 1) != 0 || host[0] == '\0')
			strcpy(host, "localhost");
		must(asprintf(&c->origin, "kuraban.local/%s", host) > 0);
	}
	if (c->language == NULL) {
		lang = getenv("LC_ALL");
		if (lang == NULL || *lang == '\0')
			lang = getenv("LC_MESSAGES");
		if (lang == NULL || *lang == '\0')
			lang = getenv("LANG");
		must((c->language = strdup(lang != NULL &&
		    strncmp(lang, "ja", 2) == 0 ? "ja" : "en")) != NULL);
	}
}

enum err
conf_parse(struct conf **out, const char *file, const char *text,
    struct conf_notes *notes)
{
	static cfg_opt_t opts[SCOPE_COUNT][NOPTIONS];
	struct reader r = {.notes = notes};
	struct conf *c = NULL;
	cfg_t *cfg = NULL;
	char *copy = strdup(text);
	enum err e;

	*out = NULL;
	*notes = (struct conf_notes){0};
	must(copy != NULL);
	if ((e = scan_text(&r.marks, copy, notes)) != ERR_OK)
		goto out;
	for (int s = SCOPE_COUNT - 1; s >= 0; s--)
		scope_opts(opts[s], (enum conf_scope)s, opts);
	e = ERR_NOMEM;
	if ((cfg = cfg_init(opts[SCOPE_ROOT], CFGF_NONE)) == NULL)
		goto out;
	cfg_set_error_function(cfg, confuse_error);
	current = &r;
	e = ERR_CONFIG;
	if (cfg_parse_buf(cfg, copy) != CFG_SUCCESS || r.failed) {
		if (!notes_failed(notes))
			notes_add(notes, CONF_ERROR, cfg->line, _("syntax error"));
		goto out;
	}
	must((c = calloc(1, sizeof(*c))) != NULL);
	must((c->file = strdup(file)) != NULL);
	fill_all(&r, cfg, c);
	fill_machine(c);
	conf_check(c, &r.marks, notes);
	if (notes_failed(notes))
		goto out;
	*out = c;
	c = NULL;
	e = ERR_OK;
out:
	current = NULL;
	conf_free(c);
	if (cfg != NULL)
		cfg_free(cfg);
	scan_fini(&r.marks);
	explicit_bzero(copy, strlen(copy));	/* passwords */
	free(copy);
	return e;
}

static enum err
read_all(const char *file, char **out, struct conf_notes *notes)
{
	char *text = NULL;
	size_t len = 0;
	ssize_t n;
	struct stat st;
	enum err e = ERR_IO;
	int fd = open(file, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) != 0) {
		notes_add(notes, CONF_ERROR, 0, _("cannot be read: %s"), strerror(errno));
		goto out;
	}
	must((text = malloc(CONF_MAX_BYTES + 1)) != NULL);
	while ((n = read(fd, text + len, CONF_MAX_BYTES + 1 - len)) > 0)
		len += (size_t)n;
	if (n < 0) {
		notes_add(notes, CONF_ERROR, 0, _("cannot be read: %s"), strerror(errno));
		goto out;
	}
	e = ERR_CONFIG;
	if (len > CONF_MAX_BYTES) {
		notes_add(notes, CONF_ERROR, 0, _("is larger than %u bytes"),
		    CONF_MAX_BYTES);
		goto out;
	}
	text[len] = '\0';
	if (strlen(text) != len) {
		notes_add(notes, CONF_ERROR, 0, _("is not a text file"));
		goto out;
	}
	*out = text;
	text = NULL;
	e = ERR_OK;
out:
	free(text);
	if (fd >= 0)
		close(fd);
	return e;
}

enum err
conf_load(struct conf **out, const char *file, struct conf_notes *notes)
{
	char *text;
	enum err e;

	*out = NULL;
	*notes = (struct conf_notes){0};
	if ((e = read_all(file, &text, notes)) != ERR_OK)
		return e;
	e = conf_parse(out, file, text, notes);
	explicit_bzero(text, strlen(text));
	free(text);
	return e;
}

static void
free_fields(enum conf_scope scope, void *base)
{
	for (size_t i = 0; i < NOPTIONS; i++) {
		const struct option *o = &options[i];
		char **list;

		if (o->scope != scope)
			continue;
		if (o->kind == TEXT || o->kind == LANGUAGE)
			free(*(char **)((char *)base + o->offset));
		if (o->kind == LIST) {
			list = *(char ***)((char *)base + o->offset);
			for (size_t j = *(size_t *)((char *)base + o->count_offset); j-- > 0;)
				free(list[j]);
			free(list);
		}
	}
}

void
conf_free(struct conf *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->ndatabases; i++) {
		struct conf_database *d = &c->databases[i];

		for (size_t j = 0; j < d->ntables; j++) {
			free(d->tables[j].schema);
			free(d->tables[j].name);
			free_fields(SCOPE_TABLE, &d->tables[j]);
		}
		for (size_t j = 0; j < d->nfunctions; j++) {
			free(d->functions[j].schema);
			free(d->functions[j].name);
		}
		free(d->tables);
		free(d->functions);
		upstream_fini(&d->upstream);
		free_fields(SCOPE_DATABASE, d);
		free(d->name);
	}
	for (size_t i = 0; i < c->nroles; i++) {
		free_fields(SCOPE_ROLE, &c->roles[i]);
		free(c->roles[i].name);
	}
	free(c->databases);
	free(c->roles);
	free_fields(SCOPE_ROOT, c);
	free(c->file);
	free(c);
}

const struct conf_database *
conf_database(const struct conf *c, const char *name)
{
	for (size_t i = 0; i < c->ndatabases; i++)
		if (strcmp(c->databases[i].name, name) == 0)
			return &c->databases[i];
	return NULL;
}

const struct conf_role *
conf_role(const struct conf *c, const char *name)
{
	for (size_t i = 0; i < c->nroles; i++)
		if (strcmp(c->roles[i].name, name) == 0)
			return &c->roles[i];
	return NULL;
}

bool
conf_role_may(const struct conf_role *r, const char *database)
{
	for (size_t i = 0; i < r->ndatabases; i++)
		if (strcmp(r->databases[i], database) == 0)
			return true;
	return false;
}

const char *
conf_find(const char *option_c)
{
	const char *env = getenv("KURABAN_CONF");

	if (option_c != NULL)
		return option_c;
	if (env != NULL && *env != '\0')
		return env;
	if (access("kuraban.conf", F_OK) == 0)
		return "kuraban.conf";
	return "/etc/kuraban/kuraban.conf";
}
