/* SPDX-License-Identifier: Apache-2.0 */
/* kuraban trace LIST: how many people, from which table, by which extraction. */
#include "cli/verb.h"

#include <getopt.h>
#include <libintl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/trace_own.h"
#include "trace/trace.h"

#define _(s) gettext(s)
#define N_(s) s

static volatile sig_atomic_t stopped;

static void
on_stop(int sig)
{
	stopped = 1;
}

/* Seconds for a gigabyte of the list and of ours, as it usually goes. */
static const struct {
	const char *stage, *text;
	double list, ours;
} stages[] = {
	{"list", N_("reading the list"), 21, 0},
	{"ours", N_("reading our records"), 0, 14},
	{"learn", N_("learning weights"), .6, .5},
	{"match", N_("matching"), 18, 3},
	{"cluster", N_("counting persons"), 7, .5},
	{"attribute", N_("comparing with releases"), 1, 1},
	{"background", N_("reading the background list"), .1, .1},
	{"write", N_("writing the report"), 17, 1},
};
#define STAGES (sizeof stages / sizeof stages[0])

struct bar {
	uint64_t begin_us, last_us;
	bool tty;
	double list_gb, ours_gb;	/* list_gb < 0: a pipe, not yet known */
	size_t stage;
};

static double
gigabytes(const char *path)
{
	struct stat st;

	if (!path || strcmp(path, "-") == 0 || stat(path, &st) != 0 ||
	    !S_ISREG(st.st_mode))
		return -1;
	return (double)st.st_size / 1e9 + 1e-6;
}

/* Of the whole: what is behind, with `part` of this stage. */
static double
done_part(const struct bar *b, size_t stage, double part)
{
	double all = 0, done = 0;

	for (size_t s = 0; s < STAGES; s++) {
		double t = stages[s].list * b->list_gb + stages[s].ours *
		    b->ours_gb;

		all += t;
		done += s < stage ? t : s == stage ? t * part : 0;
	}
	return done / all;
}

/* One line a stage where nobody watches; a bar with the time left on a screen. */
static bool
show(void *arg, const char *stage, double part, double rate)
{
	struct bar *b = arg;
	uint64_t now = clock_mono_us();
	double spent = (double)(now - b->begin_us) / 1e6, done;
	char fill[31];
	size_t s = 0;

	while (s < STAGES && strcmp(stages[s].stage, stage) != 0)
		s++;
	if (s == STAGES || stopped)
		return !stopped;
	if (!b->tty) {
		if (b->stage != s)
			fprintf(stderr, "kuraban trace: %s\n",
			    _(stages[s].text));
		b->stage = s;
		return true;
	}
	if (now - b->last_us < 100000 && b->stage == s)
		return true;
	b->last_us = now;
	b->stage = s;
	if (b->list_gb < 0 && s > 0)
		b->list_gb = spent / stages[0].list;
	done = part < 0 || b->list_gb < 0 ? 0 : done_part(b, s, part);
	for (int i = 0; i < 30; i++)
		fill[i] = i < done * 30 ? '#' : '.';
	fill[30] = '\0';
	fprintf(stderr, "\r\033[K[%s] %3.0f %%  %s", fill, done * 100,
	    _(stages[s].text));
	if (rate > 0)
		fprintf(stderr, "  %.0f/s", rate);
	if (done > .02)
		fprintf(stderr, _("  %.0f s left"), spent * (1 - done) / done);
	fflush(stderr);
	return true;
}

static void
line(const char *what, struct estimate e)
{
	if (e.low < e.high)
		printf(_("%-28s %12.0f   (%.0f to %.0f)\n"), what, e.estimate,
		    floor(e.low), ceil(e.high));
	else
		printf("%-28s %12.0f\n", what, e.estimate);
}

static void
columns(const struct table *t, const char *what)
{
	const char *sep = "";

	printf("%s: ", what);
	for (unsigned i = 0; i < t->cols.n; i++) {
		printf("%s%s=%s", sep, t->cols.name[i],
		    (int)i == t->cols.key ? "key" :
		    column_kind_name(t->cols.kind[i]));
		sep = ", ";
	}
	putchar('\n');
}

static void
summary(const struct trace_result *r, const struct trace_options *o)
{
	static const char *const verdict[] = {
	    N_("ours"), N_("not ours"), N_("unclear")};

	if (!o->schema) {
		columns(&r->list, _("columns of the list"));
		if (r->ours.nrows)
			columns(&r->ours, _("columns of ours"));
	}
	line(_("rows"), r->rows);
	line(_("exact duplicates"), r->exact_duplicates);
	line(_("records"), r->records);
	line(_("persons"), r->persons);
	if (r->ours.nrows)
		line(_("persons who are ours"), r->persons_ours);
	printf(_("verdict: %s\n"), _(verdict[r->verdict]));
	for (size_t g = 0; g < r->attribution.n; g++) {
		const struct release_group *x = &r->attribution.group[g];

		if (!x->explains)
			continue;
		printf(_("explained by release %s"),
		    r->release[x->release[0]].id);
		if (x->n > 1)
			printf(_(" or %zu that cannot be told from it"),
			    x->n - 1);
		printf(_(" (chance of being wrong %.2g)\n"), x->chance_wrong);
	}
	if (r->has_releases && (r->attribution.n == 0 ||
	    !r->attribution.group[0].explains))
		puts(_("no extraction explains this list"));
	printf(_("report: %s/index.html\n"), o->out);
}

int
verb_trace(int argc, char **argv)
{
	static const struct option opts[] = {
		{"ours", required_argument, NULL, 'o'},
		{"releases", required_argument, NULL, 'r'},
		{"background", required_argument, NULL, 'b'},
		{"history", required_argument, NULL, 'h'},
		{"canaries", required_argument, NULL, 'y'},
		{"out", required_argument, NULL, 'd'},
		{"columns", required_argument, NULL, 'k'},
		{"our-columns", required_argument, NULL, 'K'},
		{"schema", required_argument, NULL, 's'},
		{"calls", required_argument, NULL, 'p'},
		{"threads", required_argument, NULL, 't'},
		{"database", required_argument, NULL, 'D'},
		{"table", required_argument, NULL, 'T'},
		{NULL, 0, NULL, 0},
	};
	struct trace_options o = {.threads = 2, .progress = show};
	struct trace_result *r = calloc(1, sizeof *r);
	struct bar bar = {.begin_us = clock_mono_us(),
	    .tty = isatty(STDERR_FILENO), .stage = STAGES};
	struct sigaction act = {.sa_handler = on_stop};
	const char *conf_file = NULL, *database = NULL, *table = NULL;
	struct trace_own own = {0};
	struct conf *conf = NULL;
	char why[512] = "";
	enum err e = ERR_OK;
	int c;

	if (!r)
		return cli_fail(argv[0], ERR_NOMEM, "");
	while ((c = getopt_long(argc, argv, "c:", opts, NULL)) != -1) {
		switch (c) {
		case 'c': conf_file = optarg; break;
		case 'D': database = optarg; break;
		case 'T': table = optarg; break;
		case 'o': o.ours = optarg; break;
		case 'r': o.releases = optarg; break;
		case 'b': o.background = optarg; break;
		case 'h': o.history = optarg; break;
		case 'y': o.canaries = optarg; break;
		case 'd': o.out = optarg; break;
		case 'k': o.columns = optarg; break;
		case 'K': o.ours_columns = optarg; break;
		case 's': o.schema = optarg; break;
		case 't': o.threads = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 'p':
			if (sscanf(optarg, "%lu:%lu", &o.called, &o.reached)
			    != 2 || o.called == 0 || o.reached > o.called) {
				free(r);
				return cli_usage("trace", _("--calls takes "
				    "CALLED:REACHED, not \"%s\""), optarg);
			}
			break;
		default:
			free(r);
			return STATUS_USAGE;
		}
	}
	if (optind + 1 != argc || (o.ours && database) || !o.out) {
		free(r);
		return cli_usage("trace", "%s", _("a LIST and --out are "
		    "needed, and --ours or --database"));
	}
	o.list = argv[optind];
	o.ours_name = o.ours ? o.ours : database;
	o.arg = &bar;
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	if (database) {
		conf = cli_conf(conf_file);
		if (!conf) {
			free(r);
			return STATUS_REFUSED;
		}
		e = trace_own_open(&own, conf, database, table, why,
		    sizeof why);
		o.ours_data = own.csv;
		o.ours_len = own.len;
		if (!o.ours_columns)
			o.ours_columns = own.key_column;
		if (!o.releases) {
			o.load_releases = trace_own_releases;
			o.load_arg = &own;
		}
	}
	bar.list_gb = gigabytes(o.list);
	bar.ours_gb = o.ours ? gigabytes(o.ours) : (double)o.ours_len / 1e9;
	if (bar.ours_gb < 0)
		bar.ours_gb = 0;
	if (e == ERR_OK)
		e = trace_run(&o, r, why, sizeof why);
	if (bar.tty)
		fputs("\r\033[K", stderr);
	if (e == ERR_OK)
		summary(r, &o);
	trace_fini(r);
	free(r);
	trace_own_close(&own);
	conf_free(conf);
	if (e == ERR_CLOSED && stopped) {
		fputs(_("kuraban trace: stopped; nothing was written\n"),
		    stderr);
		return STATUS_REFUSED;
	}
	if (e == ERR_OK)
		return STATUS_DONE;
	/* The advice of these is for the gate; why says it all. */
	if (*why && (e == ERR_IO || e == ERR_FORMAT || e == ERR_NOTFOUND)) {
		fprintf(stderr, "kuraban trace: %s\n", why);
		return STATUS_REFUSED;
	}
	return cli_fail("trace", e, why);
}
