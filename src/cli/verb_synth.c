/* SPDX-License-Identifier: Apache-2.0 */
/* kuraban synth: made-up people, releases and brokers' lists, with the truth. */
#include "cli/verb.h"

#include <getopt.h>
#include <libintl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "synth/synth.h"

#define _(s) gettext(s)

enum { O_OUT = 1, O_SEED, O_ROWS, O_CHILDREN, O_CUSTOMERS, O_RELEASES,
    O_CULPRITS, O_SAMPLE, O_FOREIGN, O_COPIES, O_EXACT, O_DAMAGE, O_CP932,
    O_COUNT, O_SHARE, O_COLUMNS };

int
verb_synth(int argc, char **argv)
{
	static const struct option opts[] = {
		{"out", required_argument, NULL, O_OUT},
		{"seed", required_argument, NULL, O_SEED},
		{"rows", required_argument, NULL, O_ROWS},
		{"children", no_argument, NULL, O_CHILDREN},
		{"customers", required_argument, NULL, O_CUSTOMERS},
		{"releases", required_argument, NULL, O_RELEASES},
		{"culprits", required_argument, NULL, O_CULPRITS},
		{"sample", required_argument, NULL, O_SAMPLE},
		{"foreign", required_argument, NULL, O_FOREIGN},
		{"copies", required_argument, NULL, O_COPIES},
		{"exact", required_argument, NULL, O_EXACT},
		{"damage", required_argument, NULL, O_DAMAGE},
		{"cp932", required_argument, NULL, O_CP932},
		{"count", required_argument, NULL, O_COUNT},
		{"share", required_argument, NULL, O_SHARE},
		{"columns", required_argument, NULL, O_COLUMNS},
		{NULL, 0, NULL, 0},
	};
	struct synth_population p = {.seed = 1, .rows = 10000};
	struct synth_releases r = {.seed = 1, .count = 200, .share = .02};
	struct synth_broker b = {.seed = 1, .sample = 1, .foreign = .05,
	    .copies = .2, .exact = .05, .damage = .2, .cp932 = .5};
	const char *kind;
	char why[512] = "";
	enum err e;
	int c;

	while ((c = getopt_long(argc, argv, "", opts, NULL)) != -1) {
		switch (c) {
		case O_OUT: p.out = r.out = b.out = optarg; break;
		case O_SEED: p.seed = r.seed = b.seed = strtoull(optarg, NULL,
			10); break;
		case O_ROWS: p.rows = strtoull(optarg, NULL, 10); break;
		case O_CHILDREN: p.children = true; break;
		case O_CUSTOMERS: r.customers = b.customers = optarg; break;
		case O_RELEASES: b.releases = optarg; break;
		case O_CULPRITS: b.culprits = optarg; break;
		case O_SAMPLE: b.sample = strtod(optarg, NULL); break;
		case O_FOREIGN: b.foreign = strtod(optarg, NULL); break;
		case O_COPIES: b.copies = strtod(optarg, NULL); break;
		case O_EXACT: b.exact = strtod(optarg, NULL); break;
		case O_DAMAGE: b.damage = strtod(optarg, NULL); break;
		case O_CP932: b.cp932 = strtod(optarg, NULL); break;
		case O_COUNT: r.count = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case O_SHARE: r.share = strtod(optarg, NULL); break;
		case O_COLUMNS: r.columns = b.columns = optarg; break;
		default: return STATUS_USAGE;
		}
	}
	if (optind + 1 != argc || !p.out)
		return cli_usage("synth", "%s",
		    _("population, releases or broker, and --out DIR"));
	kind = argv[optind];
	if (b.foreign < 0 || b.foreign > .99)
		return cli_usage("synth", "%s", _("--foreign is a share"));
	if (strcmp(kind, "population") == 0)
		e = synth_population(&p);
	else if (strcmp(kind, "releases") == 0 && r.customers)
		e = synth_releases(&r, why, sizeof why);
	else if (strcmp(kind, "broker") == 0 && b.customers)
		e = synth_broker(&b, why, sizeof why);
	else
		return cli_usage("synth", "%s", _("population, or releases or "
		    "broker with --customers FILE"));
	return e == ERR_OK ? STATUS_DONE : cli_fail("synth", e,
	    *why ? why : p.out);
}
