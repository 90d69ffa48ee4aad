/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The product's own writer of ledgers, led by lines on standard input, so that the
 * verifiers can be tried on what it really leaves behind.
 *
 *   verify_ledger DIR ORIGIN
 *
 *   append TOKEN,... ENTRY	tokens in hex; "-": none
 *   commit
 *   checkpoint
 *   sleep MILLISECONDS		the archive works meanwhile
 *   die			no orderly end; else the end of input closes it
 */
#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "ledger/ledger.h"

static void
must_be_ok(enum err e, const char *what)
{
	if (e != ERR_OK)
		errx(1, "%s: %s", what, err_text(e));
}

static void
append(struct ledger *l, char *line)
{
	uint64_t tokens[64], index;
	size_t n = 0;
	enum err e;
	char *entry = strchr(line, ' ');

	if (entry == NULL)
		errx(1, "append TOKENS ENTRY");
	*entry++ = '\0';
	for (char *t = strtok(line, ","); t != NULL && n < 64; t = strtok(NULL, ","))
		if (strcmp(t, "-") != 0)
			tokens[n++] = strtoull(t, NULL, 16);
	do {			/* a full ring waits for the archive */
		e = ledger_append(l, entry, strlen(entry), tokens, n, &index);
		if (e == ERR_NOSPACE && usleep(10000) == 0)
			must_be_ok(ledger_commit(l), "commit");
	} while (e == ERR_NOSPACE);
	must_be_ok(e, "append");
}

int
main(int argc, char **argv)
{
	char dir[4096], key[4096], why[256] = "", *line = NULL;
	struct ledger_options o = { .dir = dir, .key_file = key,
		.wal_bytes = 512 * 1024 };
	struct ledger *l;
	size_t cap = 0;
	ssize_t n;

	if (argc != 3)
		errx(2, "usage: verify_ledger DIR ORIGIN");
	o.origin = argv[2];
	snprintf(dir, sizeof(dir), "%s/ledger", argv[1]);
	snprintf(key, sizeof(key), "%s/sign.key", argv[1]);
	if (ledger_open(&l, &o, why, sizeof(why)) != ERR_OK)
		errx(1, "open: %s", why);
	while ((n = getline(&line, &cap, stdin)) > 0) {
		line[n - 1] = '\0';
		if (strncmp(line, "append ", 7) == 0)
			append(l, line + 7);
		else if (strcmp(line, "commit") == 0)
			must_be_ok(ledger_commit(l), line);
		else if (strcmp(line, "checkpoint") == 0)
			must_be_ok(ledger_checkpoint(l), line);
		else if (strncmp(line, "sleep ", 6) == 0)
			usleep((useconds_t)atoi(line + 6) * 1000);
		else if (strcmp(line, "die") == 0)
			_exit(0);
		else
			errx(1, "what is %s?", line);
	}
	free(line);
	ledger_close(l);
	return 0;
}
