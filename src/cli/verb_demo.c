/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kuraban demo: replays the extraction of 2014 with the real psql on a private
 * PostgreSQL in a temporary directory, with and without the gate, and counts who
 * reached the client. Fails when more than the budget did (laws L2, L3, L4), or
 * when honest work was hindered.
 */
#include "cli/verb.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <libintl.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>

#include "base/bytes.h"
#include "cli/demo.h"

#define _(s) gettext(s)
#define N_(s) s

enum {
	BUDGET = 100,		/* subjects_per_day in the configuration below */
	LOOKED_UP = 4417,	/* a subject of the honest look-ups */
	PEOPLE_MIN = 10000, PEOPLE_DEFAULT = 200000, PEOPLE_MAX = 99999999,
	READY_SECONDS = 30
};

static const struct step {
	enum { HONEST, DIRECT, TAKE } kind;
	uint32_t people;
	const char *text, *sql;
} steps[] = {
#define STEP(kind, people, text, sql) {kind, people, text, sql},
#include "cli/demo.tbl.h"
#undef STEP
};
enum { NSTEPS = sizeof(steps) / sizeof(*steps) };

struct outcome {
	struct demo_result result;
	uint32_t reached, fresh, total;
	bool ok;
};

struct demo {
	char dir[PATH_MAX / 2], self[PATH_MAX], bin[PATH_MAX / 4];
	char conf[PATH_MAX], gate_password[33], actor_password[33];
	char setup[PATH_MAX];	/* conninfo of the database's owner */
	unsigned pg_port, gate_port;
	uid_t uid;		/* of PostgreSQL, when we are root */
	gid_t gid;
	pid_t postgres, serve;
	int log;
	uint32_t people;
	bool keep, failed;
	struct demo_seen total;	/* through the gate, all steps together */
	struct outcome outcomes[NSTEPS];
};

static void
fail(struct demo *d, const char *what, const char *detail)
{
	fprintf(stderr, "kuraban demo: %s%s%s\n", what, *detail != '\0' ? ": " : "",
	    detail);
	d->failed = true;
}

static bool
random_password(char out[33])
{
	uint8_t raw[16];

	if (getrandom(raw, sizeof(raw), 0) != sizeof(raw))
		return false;
	hex_encode(out, raw, sizeof(raw));
	out[32] = '\0';
	return true;
}

/* --- PostgreSQL --- */

static bool
find_postgres(struct demo *d)
{
	static const char *const places[] = {"/usr/lib/postgresql/15/bin",
		"/usr/pgsql-15/bin", "/usr/local/pgsql/bin", "/usr/bin"};
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		snprintf(path, sizeof(path), "%s/initdb", places[i]);
		if (access(path, X_OK) == 0) {
			snprintf(d->bin, sizeof(d->bin), "%s", places[i]);
			return true;
		}
	}
	fail(d, _("PostgreSQL 15 is not installed"), "apt-get install postgresql-15");
	return false;
}

/* PostgreSQL does not run as root. */
static bool
find_user(struct demo *d)
{
	static const char *const names[] = {"postgres", "nobody"};
	const struct passwd *pw = NULL;

	if (geteuid() != 0)
		return true;
	for (size_t i = 0; i < 2 && pw == NULL; i++)
		pw = getpwnam(names[i]);
	if (pw == NULL || pw->pw_uid == 0) {
		fail(d, _("there is no user postgres or nobody to run PostgreSQL as"), "");
		return false;
	}
	d->uid = pw->pw_uid;
	d->gid = pw->pw_gid;
	return true;
}

static bool
run_step(struct demo *d, const char *what, const struct demo_run *r)
{
	struct demo_result result;

	demo_run(r, &result);
	if (result.status == 0 || demo_stopped())
		return result.status == 0;
	fail(d, what, result.error);
	return false;
}

static bool
psql_setup(struct demo *d, const char *dbname, const char *sql)
{
	char psql[PATH_MAX], conn[PATH_MAX + 64], people[32], password[64];
	const char *argv[] = {psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-v", people,
		"-v", password, "-d", conn, NULL};
	struct demo_run r = {.argv = argv, .input = sql, .output = -1};

	snprintf(psql, sizeof(psql), "%s/psql", d->bin);
	snprintf(conn, sizeof(conn), "%s dbname=%s", d->setup, dbname);
	snprintf(people, sizeof(people), "people=%u", d->people);
	snprintf(password, sizeof(password), "gate_password=%s", d->gate_password);
	return run_step(d, _("the database cannot be filled"), &r);
}

static bool
start_postgres(struct demo *d)
{
	char prog[PATH_MAX], data[PATH_MAX], port[16], sock[PATH_MAX];
	const char *initdb[] = {prog, "-D", data, "-U", "postgres", "-A", "trust",
		"--auth-host=scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync",
		NULL};
	const char *postgres[] = {prog, "-D", data, "-p", port, "-k", sock,
		"-h", "127.0.0.1", "-c", "fsync=off", "-c", "full_page_writes=off",
		"-c", "shared_buffers=128MB", "-c", "max_wal_size=4GB",
		"-c", "autovacuum=off", NULL};
	struct demo_run r = {.output = -1, .uid = d->uid, .gid = d->gid};

	snprintf(sock, sizeof(sock), "%s/pg", d->dir);
	snprintf(data, sizeof(data), "%s/pg/data", d->dir);
	snprintf(port, sizeof(port), "%u", d->pg_port = demo_port());
	snprintf(d->setup, sizeof(d->setup), "host=%s port=%s user=postgres", sock, port);
	if (mkdir(sock, 0700) != 0 ||
	    (d->uid != 0 && chown(sock, d->uid, d->gid) != 0)) {
		fail(d, sock, strerror(errno));
		return false;
	}
	snprintf(prog, sizeof(prog), "%s/initdb", d->bin);
	r.argv = initdb;
	if (!run_step(d, "initdb", &r))
		return false;
	snprintf(prog, sizeof(prog), "%s/postgres", d->bin);
	r.argv = postgres;
	d->postgres = demo_start(&r, d->log, d->keep);

	for (int i = 0; i < 100 && !demo_stopped(); i++) {
		struct demo_result ready;
		const char *argv[] = {prog, "-q", "-h", sock, "-p", port, NULL};
		struct demo_run is = {.argv = argv, .output = -1};

		snprintf(prog, sizeof(prog), "%s/pg_isready", d->bin);
		demo_run(&is, &ready);
		if (ready.status == 0)
			return true;
		usleep(100000);
	}
	if (!demo_stopped())
		fail(d, _("PostgreSQL does not start; see"), d->dir);
	return false;
}

/* --- the gate --- */

static bool
write_conf(struct demo *d)
{
	FILE *f;
	int fd;

	snprintf(d->conf, sizeof(d->conf), "%s/kuraban.conf", d->dir);
	d->gate_port = demo_port();
	fd = open(d->conf, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || (f = fdopen(fd, "w")) == NULL) {
		fail(d, d->conf, strerror(errno));
		return false;
	}
	fprintf(f,
	    "listen = \"127.0.0.1:%u\"\n"
	    "state  = \"%s/state\"\n"
	    "\n"
	    "database \"crm\" {\n"
	    "    engine   = \"postgresql\"\n"
	    "    upstream = \"host=127.0.0.1 port=%u dbname=crm user=kuraban_gate password=%s\"\n"
	    "    table \"public.customers\" {\n"
	    "        subject  = \"customer_id\"\n"
	    "        personal = { \"name\", \"kana\", \"birth_date\", \"sex\", \"postal_code\",\n"
	    "                     \"address\", \"phone\", \"email\" }\n"
	    "    }\n"
	    "    table \"public.orders\"   { open = true declared_by = \"demo\" since = \"2026-04-01\" }\n"
	    "    table \"public.products\" { open = true declared_by = \"demo\" since = \"2026-04-01\" }\n"
	    "}\n"
	    "\n"
	    "role \"operator\" {\n"
	    "    databases           = { \"crm\" }\n"
	    "    subjects_per_day    = %d\n"
	    "    subjects_per_30days = 1000\n"
	    "    subjects_per_year   = 5000\n"
	    "    subjects_ever       = 20000\n"
	    "    on_excess           = \"refuse\"\n"
	    "    contact             = \"%s\"\n"
	    "}\n",
	    d->gate_port, d->dir, d->pg_port, d->gate_password, BUDGET,
	    _("the data protection officer, ext. 4649"));
	return fclose(f) == 0;
}

static bool
log_says_ready(const char *path)
{
	char line[512];
	bool ready = false;
	FILE *f = fopen(path, "r");

	while (f != NULL && !ready && fgets(line, sizeof(line), f) != NULL)
		ready = strncmp(line, "ready", 5) == 0;
	if (f != NULL)
		fclose(f);
	return ready;
}

static bool
start_gate(struct demo *d)
{
	const char *serve[] = {d->self, "serve", "-c", d->conf, NULL};
	const char *actor[] = {d->self, "actor", "add", "suzuki", "--role", "operator",
		"--password-stdin", "-c", d->conf, NULL};
	char password[40], path[PATH_MAX];
	struct demo_run r = {.argv = actor, .input = password, .output = -1};

	snprintf(password, sizeof(password), "%s\n", d->actor_password);
	if (!run_step(d, "kuraban actor add", &r))
		return false;
	r = (struct demo_run){.argv = serve, .output = -1};
	d->serve = demo_start(&r, d->log, d->keep);
	snprintf(path, sizeof(path), "%s/log", d->dir);
	for (int i = 0; i < READY_SECONDS * 20 && !demo_stopped(); i++) {
		if (log_says_ready(path))
			return true;
		if (!demo_alive(d->serve))
			break;
		usleep(50000);
	}
	if (!demo_stopped())
		fail(d, _("the gate does not start; see the log"), path);
	return false;
}

/* --- what is asked --- */

static void
bar(char out[32], uint32_t part, uint32_t whole)
{
	enum { WIDTH = 24 };
	unsigned n = part == 0 ? 0 : 1 + (unsigned)((uint64_t)part * (WIDTH - 1) / whole);

	memset(out, '.', WIDTH);
	memset(out, '#', n);
	out[WIDTH] = '\0';
}

static char *
thousands(char out[16], uint32_t n)
{
	char digits[12];
	int len = snprintf(digits, sizeof(digits), "%" PRIu32, n), w = 0;

	for (int i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			out[w++] = ',';
		out[w++] = digits[i];
	}
	out[w] = '\0';
	return out;
}

static void
ask(struct demo *d, size_t i)
{
	const struct step *s = &steps[i];
	struct outcome *o = &d->outcomes[i];
	struct demo_seen seen;
	char psql[PATH_MAX], conn[256], text[32], a[16], b[16];
	const char *argv[] = {psql, "-X", "-q", "-A", "-v", "ON_ERROR_STOP=1",
		"-v", "VERBOSITY=verbose", "-d", conn, NULL};
	struct demo_wire wire;
	struct demo_run r = {.argv = argv, .input = s->sql, .wire = &wire,
		.seen = &seen, .output = -1};

	snprintf(psql, sizeof(psql), "%s/psql", d->bin);
	must(demo_seen_init(&seen, d->people));
	if (!demo_wire_open(&wire, s->kind == DIRECT ? d->pg_port : d->gate_port)) {
		fail(d, _("no port is free"), strerror(errno));
		return;
	}
	snprintf(conn, sizeof(conn), "host=127.0.0.1 port=%u dbname=crm user=%s password=%s",
	    wire.port, s->kind == DIRECT ? "kuraban_gate" : "suzuki",
	    s->kind == DIRECT ? d->gate_password : d->actor_password);
	printf("\n%zu. %s\n", i + 1, _(s->text));
	printf("   %.*s\n", (int)strcspn(s->sql, "\n"), s->sql);
	fflush(stdout);
	demo_run(&r, &o->result);
	demo_wire_close(&wire);
	o->reached = seen.count;
	if (s->kind != DIRECT)
		o->fresh = demo_seen_add(&d->total, &seen);
	o->total = d->total.count;
	demo_seen_fini(&seen);
	if (demo_stopped())
		return;

	switch (s->kind) {
	case DIRECT:
		o->ok = o->result.status == 0 && o->reached == d->people;
		break;
	case HONEST:
		o->ok = o->result.status == 0 && o->reached == s->people;
		break;
	case TAKE:
		o->ok = o->result.status != 0 && strncmp(o->result.state, "KB", 2) == 0 &&
		    o->total <= BUDGET;
	}
	bar(text, o->reached, d->people);
	printf(_("   [%s] %s of %s people reached the client, %.1f s\n"), text,
	    thousands(a, o->reached), thousands(b, d->people), o->result.seconds);
	if (o->result.error[0] != '\0')
		printf(_("   the client saw: %s %s\n"), o->result.state, o->result.error);
	if (!o->ok) {
		printf(_("   NOT AS EXPECTED\n"));
		d->failed = true;
	}
	fflush(stdout);
}

/* --- afterwards --- */

static void
show(struct demo *d, const char *title, const char *const *argv)
{
	struct demo_result result;
	struct demo_run r = {.argv = argv, .output = STDOUT_FILENO};

	printf("\n%s\n   $ kuraban", title);
	for (size_t i = 1; argv[i] != NULL; i++)
		printf(" %s", argv[i]);
	putchar('\n');
	fflush(stdout);
	demo_run(&r, &result);
	if (result.status != 0 && !demo_stopped())
		fail(d, argv[1], result.error);
	else if (result.bytes == 0 && !demo_stopped())
		fail(d, argv[1], _("shows nothing"));
}

static void
look_back(struct demo *d)
{
	char dir[PATH_MAX], key[PATH_MAX], subject[16];
	const char *checkpoint[] = {d->self, "log", "checkpoint", "-c", d->conf, NULL};
	const char *verify[] = {d->self, "verify", dir, "--key", key, NULL};
	const char *who[] = {d->self, "log", "who", "--database", "crm", "--subject",
		subject, "-c", d->conf, NULL};
	const char *budget[] = {d->self, "budget", "-c", d->conf, NULL};
	struct demo_run r = {.argv = checkpoint, .output = -1};

	snprintf(dir, sizeof(dir), "%s/state/ledger", d->dir);
	snprintf(key, sizeof(key), "%s/state/ledger/vkey", d->dir);
	snprintf(subject, sizeof(subject), "%d", LOOKED_UP);
	if (!run_step(d, "kuraban log checkpoint", &r))
		return;
	show(d, _("Is the ledger whole? Every hash, signature and order:"), verify);
	show(d, _("Who saw this person?"), who);
	show(d, _("What is left of the budget?"), budget);
}

/* Pads to a display width, to the right when negative: a kanji takes two columns. */
static void
pad(const char *s, int width)
{
	wchar_t wide[128];
	size_t n = mbstowcs(wide, s, 127);
	int w = n == (size_t)-1 ? (int)strlen(s) : wcswidth(wide, n < 127 ? n : 127);
	int more = abs(width) > w ? abs(width) - w : 0;

	printf("%*s%s%*s", width < 0 ? more : 0, "", s, width < 0 ? 0 : more, "");
}

static void
summary(struct demo *d)
{
	uint32_t canaries = 0;
	char a[16], b[16];

	putchar('\n');
	pad(_("what was asked"), 48);
	pad(_("reached"), -10);
	pad(_("new"), -9);
	pad(_("in all"), -9);
	printf("  %s\n", _("end"));
	for (size_t i = 0; i < NSTEPS; i++) {
		const struct outcome *o = &d->outcomes[i];

		pad(_(steps[i].text), 48);
		printf("%10s ", thousands(a, o->reached));
		if (steps[i].kind == DIRECT)
			printf("%8s %8s  ", "-", "-");
		else
			printf("%8u %8u  ", o->fresh, o->total);
		printf("%s%s\n", o->result.state[0] != '\0' ? o->result.state :
		    o->result.status == 0 ? _("complete") : "?", o->ok ? "" : " !");
	}
	for (uint32_t id = 10000; id <= d->people; id += 10000)
		canaries += demo_seen_has(&d->total, id);
	printf(_("\nWithout the gate %s people left in one statement. Through it %s did, "
	    "in all;\nthe budget is %d. Canaries among them: %u.\n"),
	    thousands(a, d->outcomes[0].reached), thousands(b, d->total.count), BUDGET,
	    canaries);
	if (d->total.count > BUDGET)
		fail(d, _("more people than the budget left"), "");
	printf("%s\n", d->failed ? _("FAILED: not everything was as expected.") :
	    _("Everything was as expected."));
}

static void
clean(struct demo *d)
{
	const char *rm[] = {"rm", "-rf", d->dir, NULL};
	struct demo_run r = {.argv = rm, .output = -1, .anyway = true};
	struct demo_result result;

	demo_stop(d->serve, SIGTERM);
	demo_stop(d->postgres, SIGQUIT);
	if (d->dir[0] != '\0')
		demo_run(&r, &result);
}

static void
keep(const struct demo *d)
{
	printf(_("\nEverything is still running. Ask as suzuki:\n  psql \"host=127.0.0.1 port=%u dbname=crm user=suzuki password=%s\"\n"
	    "End it:\n  kill %d; kill -QUIT %d; rm -rf %s\n"),
	    d->gate_port, d->actor_password, (int)d->serve, (int)d->postgres, d->dir);
}

static bool
prepare(struct demo *d)
{
	const char *tmp = getenv("TMPDIR");
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", d->self, sizeof(d->self) - 1);

	if (n <= 0 || !random_password(d->gate_password) ||
	    !random_password(d->actor_password))
		return false;
	snprintf(d->dir, sizeof(d->dir), "%s/kuraban-demo-XXXXXX",
	    tmp != NULL && *tmp == '/' ? tmp : "/tmp");
	if (mkdtemp(d->dir) == NULL) {
		fail(d, d->dir, strerror(errno));
		d->dir[0] = '\0';
		return false;
	}
	/* Others than root run in it: PostgreSQL, the roles of the gate. */
	snprintf(path, sizeof(path), "%s/log", d->dir);
	d->log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (d->log < 0 || chmod(d->dir, 0711) != 0) {
		fail(d, path, strerror(errno));
		return false;
	}
	return find_postgres(d) && find_user(d);
}

static void
play(struct demo *d)
{
	char n[16];

	printf(_("Kuraban demo: %s made-up customers in a private PostgreSQL.\n"),
	    thousands(n, d->people));
	fflush(stdout);
	if (!prepare(d) || !start_postgres(d) ||
	    !psql_setup(d, "postgres", "create database crm;") ||
	    !psql_setup(d, "crm", demo_sql_schema) ||
	    !psql_setup(d, "crm", demo_sql_fill) ||
	    !write_conf(d) || !start_gate(d)) {
		d->failed = true;
		return;
	}
	printf(_("suzuki, role operator, may receive the data of %d people a day.\n"),
	    BUDGET);
	for (size_t i = 0; i < NSTEPS && !demo_stopped(); i++)
		ask(d, i);
	if (!demo_stopped())
		look_back(d);
	if (!demo_stopped())
		summary(d);
}

int
verb_demo(int argc, char **argv)
{
	static const struct option options[] = {
		{"subjects", required_argument, NULL, 's'},
		{"keep", no_argument, NULL, 'k'}, {0}};
	static struct demo d;
	char *end;
	long people = PEOPLE_DEFAULT;
	int ch;

	while ((ch = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (ch == 'k') {
			d.keep = true;
		} else if (ch == 's') {
			people = strtol(optarg, &end, 10);
			if (*end != '\0' || people < PEOPLE_MIN || people > PEOPLE_MAX)
				return cli_usage(argv[0],
				    _("--subjects %s; expected a number from %d to %d"),
				    optarg, PEOPLE_MIN, PEOPLE_MAX);
		} else {
			return STATUS_USAGE;
		}
	}
	if (optind < argc)
		return cli_usage(argv[0], _("unexpected argument %s"), argv[optind]);
	d.people = (uint32_t)people;
	must(demo_seen_init(&d.total, d.people));
	demo_signals();
	play(&d);
	if (d.keep && !d.failed && !demo_stopped())
		keep(&d);
	else
		clean(&d);
	demo_seen_fini(&d.total);
	return d.failed || demo_stopped() ? STATUS_REFUSED : STATUS_DONE;
}
