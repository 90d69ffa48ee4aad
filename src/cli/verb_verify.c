/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kuraban verify: checks a ledger directory offline, with its public key alone.
 * Shares with the rest only the hashes and the readers. One object a line with
 * --json: {"file","offset","problem"} for each problem, then the result.
 */
#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <libintl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/verb.h"
#include "ledger/verify.h"
#include "os/vfs.h"

#define _(s) gettext(s)

struct output {
	bool json, tty;
	bool line;	/* a progress line stands on the terminal */
};

static void
clear_line(struct output *o)
{
	if (o->line)
		fputs("\r\033[K", stderr);
	o->line = false;
}

static void
print_json(json_t *j)
{
	if (j == NULL)
		return;
	json_dumpf(j, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(j);
}

static void
on_problem(void *arg, const char *file, uint64_t offset, const char *what)
{
	struct output *o = arg;

	if (o->json) {
		print_json(json_pack("{s:s, s:o, s:s}", "file", file, "offset",
		    offset == UINT64_MAX ? json_null() :
		    json_integer((json_int_t)offset), "problem", what));
		return;
	}
	clear_line(o);
	if (offset == UINT64_MAX)
		printf("%s: %s\n", file, what);
	else
		printf("%s:%" PRIu64 ": %s\n", file, offset, what);
}

static void
on_note(void *arg, const char *file, const char *what)
{
	struct output *o = arg;

	if (o->json) {
		print_json(json_pack("{s:s, s:s}", "file", file, "note", what));
		return;
	}
	clear_line(o);
	printf(_("%s: note: %s\n"), file, what);
}

static void
on_progress(void *arg, uint64_t done, uint64_t total)
{
	struct output *o = arg;

	if (!o->tty)
		return;
	putc('\r', stderr);
	fprintf(stderr, _("%" PRIu64 " of %" PRIu64 " entries"), done, total);
	o->line = true;
}

/* A key line, or the name of a file that has it. */
static enum err
read_key(struct note_key *out, const char *arg)
{
	struct slice line = slice_cstr(arg);
	uint8_t *p = NULL;
	enum err err = note_key_parse(out, line);

	if (err == ERR_OK ||
	    vfs_read_all(vfs_os(), arg, 4096, &p, &line.len) != ERR_OK)
		return err;
	line.p = p;
	while (line.len > 0 && strchr(" \r\n", p[line.len - 1]) != NULL)
		line.len--;
	err = note_key_parse(out, line);
	free(p);
	return err;
}

static void
print_result(const struct output *o, const struct verify_result *r,
    const struct note_key *key)
{
	char root[45];

	b64_encode(root, r->root.b, MERKLE_BYTES);
	if (o->json) {
		print_json(json_pack("{s:s, s:I, s:s, s:I, s:I, s:I, s:s, s:b}",
		    "result", r->problems > 0 ? "broken" : "whole",
		    "problems", (json_int_t)r->problems, "origin", key->name,
		    "size", (json_int_t)r->size, "archived", (json_int_t)r->archived,
		    "committed", (json_int_t)r->committed, "root", root,
		    "live", (int)r->live));
		return;
	}
	if (r->problems > 0) {
		printf(_("BROKEN: %" PRIu64 " problems. Keep the files as they are.\n"),
		    r->problems);
		return;
	}
	printf(_("whole: %s, %" PRIu64 " entries signed, root %s\n"), key->name,
	    r->size, root);
	if (r->committed > r->size)
		printf(_("and %" PRIu64 " entries behind them, not signed yet\n"),
		    r->committed - r->size);
}

int
verb_verify(int argc, char **argv)
{
	static const struct option options[] = {{"key", required_argument, NULL, 'k'},
	    {"json", no_argument, NULL, 'j'}, {NULL, 0, NULL, 0}};
	struct output o = {.tty = isatty(STDERR_FILENO)};
	struct verify_report report = {on_problem, on_note, on_progress, &o};
	struct verify_result r;
	const char *vkey = NULL;
	struct note_key key;
	struct stat st;
	enum err err;
	int c;

	optind = 0;
	while ((c = getopt_long(argc, argv, "k:c:", options, NULL)) != -1) {
		if (c == 'k')
			vkey = optarg;
		else if (c == 'c')	/* as every verb; nothing of it is needed */
			continue;
		else if (c == 'j')
			o.json = true;
		else
			return cli_usage("verify", _("unknown option"));
	}
	if (vkey == NULL || argc - optind != 1)
		return cli_usage("verify", _("it needs a directory and --key"));
	if (read_key(&key, vkey) != ERR_OK || key.type != NOTE_ED25519)
		return cli_usage("verify", _("%s is not a key line, nor a file with "
		    "one"), vkey);
	if (stat(argv[optind], &st) != 0 || !S_ISDIR(st.st_mode))
		return cli_usage("verify", _("%s is not a directory"), argv[optind]);
	err = verify_run(&r, argv[optind], NULL, &key, &report);
	clear_line(&o);
	if (err != ERR_OK && err != ERR_BROKEN)
		return cli_fail("verify", err, argv[optind]);
	print_result(&o, &r, &key);
	return err == ERR_BROKEN ? STATUS_BROKEN : STATUS_DONE;
}
