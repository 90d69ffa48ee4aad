#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL's own suites, directly and through the gate: nothing may differ.

The database is declared personal = "none". Compared are the verdict of every
test, every line that it printed, and for libpq_pipeline the messages on the
wire. A test that fails is no matter (the source may be of another minor version
than the server); one that fails differently is.

tools/regress.sh gets the source and starts this.
"""
import collections
import difflib
import os
import re
import shutil
import subprocess
import sys
import time

from harness import ACTOR_PASSWORD, Suite, check

PGXS = "/usr/lib/postgresql/15/lib/pgxs/src/test"
# Quick ones, over the parts of the protocol; some fail without the ones before.
SHORT = ("test_setup", "boolean", "varchar", "int8", "json", "copy",
         "copyselect", "portals", "prepare", "transactions", "errors", "psql")
SHORT_ISOLATION = ("read-only-anomaly", "deadlock-simple", "async-notify",
                   "insert-conflict-specconflict", "temp-schema-cleanup",
                   "timeouts")
DATABASES = ("postgres", "regression", "isolation_regression", "pipeline")


class Runner:
    def __init__(self, world, options):
        self.world, self.options = world, options
        self.src = os.path.join(os.path.abspath(options.source), "src/src/test")
        self.lib = os.path.join(os.path.abspath(options.source), "lib")
        self.pg = world.pg
        self.dlpath = os.path.join(world.top, "lib")
        shutil.copytree(self.lib, self.dlpath)

    def env(self, gated):
        end = self.world.gate if gated else self.pg
        return dict(os.environ, PGHOST=end.host, PGPORT=str(end.port),
                    PGUSER="postgres", PGPASSWORD=ACTOR_PASSWORD,
                    PGSSLMODE="disable", LC_ALL="C", PATH=self.pg.bin + ":" +
                    os.environ["PATH"])

    def directory(self, name, suite):
        """A copy of the suite that the server's user may write."""
        d = os.path.join(self.world.top, name)
        shutil.copytree(os.path.join(self.src, suite), d)
        if self.pg.user:
            for top, dirs, files in os.walk(d):
                for f in [top] + [os.path.join(top, x) for x in files]:
                    os.chown(f, self.pg.user.pw_uid, self.pg.user.pw_gid)
        return d

    def suite(self, suite, program, tests, gated):
        """Runs a pg_regress; {test: verdict} and {file: text} of results."""
        # The same path both times: error texts name it.
        where = self.directory(suite, suite)
        database = ("isolation_" if suite == "isolation" else "") + "regression"
        args = [os.path.join(PGXS, suite, program), "--inputdir=" + where,
                "--outputdir=" + where, "--bindir=" + self.pg.bin,
                "--dlpath=" + self.dlpath, "--host=" + self.env(gated)["PGHOST"],
                "--port=" + self.env(gated)["PGPORT"], "--user=postgres",
                "--dbname=" + database, "--max-connections=10"]
        schedule = ("parallel_schedule" if suite == "regress"
                    else "isolation_schedule")
        args += list(tests) or ["--schedule=" + where + "/" + schedule]
        r = subprocess.run(args, env=self.env(gated), capture_output=True,
                           text=True, cwd=where, preexec_fn=self.pg._drop,
                           timeout=280)
        verdicts = dict(re.findall(
            r"^(?:test|    ) *(\S+) +\.\.\. (ok|FAILED|failed)",
            r.stdout, re.M))
        check(verdicts, "%s: %s", program, (r.stdout + r.stderr)[-1500:])
        results = {}
        for f in sorted(os.listdir(where + "/results")):
            if f.endswith(".out"):
                with open(where + "/results/" + f, errors="replace") as x:
                    results[f[:-4]] = x.read()
        keep = os.path.join(self.options.source, "results",
                            suite + (".gate" if gated else ".direct"))
        shutil.rmtree(keep, ignore_errors=True)
        shutil.copytree(where + "/results", keep)
        shutil.rmtree(where)
        return verdicts, results

    def pipeline(self, gated):
        """Each libpq_pipeline test: exit code, output and trace."""
        program = self.lib + "/libpq_pipeline"
        names = subprocess.run([program, "tests"], capture_output=True,
                               text=True).stdout.split()
        self.pg.psql("postgres", "DROP DATABASE IF EXISTS pipeline")
        self.pg.psql("postgres", "CREATE DATABASE pipeline")
        verdicts, results = {}, {}
        trace = os.path.join(self.world.top, "trace")
        for name in names:
            # Those whose messages do not depend on timing have a trace.
            traced = os.path.exists(os.path.join(
                self.src, "modules/libpq_pipeline/traces", name + ".trace"))
            if self.options.short and not traced:
                continue
            r = subprocess.run(
                [program, "-r", "700", "-t", trace, name, "dbname=pipeline"],
                env=self.env(gated), capture_output=True, text=True, timeout=60)
            verdicts[name] = "ok" if r.returncode == 0 else "failed"
            if traced:
                with open(trace) as f:
                    results[name] = r.stdout + r.stderr + f.read()
        return verdicts, results


def compare(name, a, b):
    """Direct a and gated b: (verdicts, results)."""
    (va, ra), (vb, rb) = a, b
    wrong = ["%s: %s direct, %s gated" % (t, va.get(t, "not run"),
                                          vb.get(t, "not run"))
             for t in sorted(set(va) | set(vb)) if va.get(t) != vb.get(t)]
    for t in sorted(set(ra) | set(rb)):
        if ra.get(t) == rb.get(t):
            continue
        diff = list(difflib.unified_diff(
            ra.get(t, "").splitlines(), rb.get(t, "").splitlines(),
            "direct/" + t, "gated/" + t, lineterm="", n=1))
        wrong.append("%s: %d lines differ\n%s" % (
            t, len(diff), "\n".join(diff[:30])))
    check(not wrong, "%s", "\n".join(wrong))
    n = collections.Counter(va.values())
    return "%d ok and %d failed, the same both times; %d outputs equal" % (
        n["ok"], len(va) - n["ok"], len(ra))


def both(run, *args):
    start = time.monotonic()
    a = run(*args, False)
    middle = time.monotonic()
    b = run(*args, True)
    said = compare(args[0] if args else "", a, b)
    return "%s; %.0f s direct, %.0f s gated" % (
        said, middle - start, time.monotonic() - middle)


def body(suite, world):
    o = suite.options
    run = Runner(world, o)
    world.gate.actor("postgres", "bulk")
    try:
        with open(os.path.join(o.source, "version")) as f:
            print("# source %s" % f.read().strip(), flush=True)
    except OSError:
        pass
    suite.case("regress", "pg_regress", both, run.suite, "regress",
               "pg_regress", SHORT if o.short else ())
    suite.case("isolation", "isolationtester", both, run.suite, "isolation",
               "pg_isolation_regress", SHORT_ISOLATION if o.short else ())
    suite.case("pipeline", "libpq_pipeline", both, run.pipeline)


def prepare(world):
    world.pg.psql("postgres", "ALTER ROLE postgres PASSWORD '%s';"
                  % ACTOR_PASSWORD)


def databases(world):
    return "".join(
        'database "%s" {\n    engine = "postgresql"\n    upstream = '
        '"host=127.0.0.1 port=%d dbname=%s user=postgres password=%s"\n'
        '    personal = "none"\n}\n' % (name, world.pg.port, name,
                                        ACTOR_PASSWORD)
        for name in DATABASES)


def main():
    suite = Suite(
        __doc__.splitlines()[0],
        ("--source", {"default": "build/regress",
                      "help": "where tools/regress.sh put the source"}),
        ("--short", {"action": "store_true", "help": "a few tests of each"}))
    o = suite.options
    if not os.path.isdir(os.path.join(o.source, "src")):
        print("skipped: no source of PostgreSQL; tools/regress.sh gets it")
        print("0 passed, 0 failed, 1 skipped")
        return 77
    return suite.run(body, prepare=prepare, databases=databases)


if __name__ == "__main__":
    sys.exit(main())
