#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Direct, PgBouncer and Kuraban, measured alternately in one run.

    run.py BUILD [SECTION]...        sections: see SECTIONS below

Absolute figures say more about the machine and its neighbours than about a
proxy. So every repetition measures every target once, in random order, and what
counts is the ratio within a repetition: its median and its whole spread.

Environment: BENCH_SECONDS (5) a measurement, BENCH_REPS (5), BENCH_ROWS
(5000000) personal rows, BENCH_IDLE (2000) idle clients, BENCH_USED (300) idle
clients that have asked once, BENCH_TARGETS ("direct pgbouncer kuraban"),
BENCH_WORKERS (the product's default), BENCH_DIR (BUILD/bench.tmp; must be on a
real disk, because the ledger's speed is the disk's).
"""

import base64
import hashlib
import hmac
import json
import os
import pwd
import random
import re
import secrets
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time

BIN = "/usr/lib/postgresql/15/bin/"
SECONDS = float(os.environ.get("BENCH_SECONDS", "5"))
REPS = int(os.environ.get("BENCH_REPS", "5"))
SCALE = max(1, int(os.environ.get("BENCH_ROWS", "5000000")) // 100000)
ROWS = SCALE * 100000
IDLE = int(os.environ.get("BENCH_IDLE", "2000"))
USED = int(os.environ.get("BENCH_USED", "300"))
TARGETS = os.environ.get("BENCH_TARGETS", "direct pgbouncer kuraban").split()
WORKERS = os.environ.get("BENCH_WORKERS")
CLIENTS = (1, 16, 64)
ACTOR = "bench"
PASSWORD = "bench-" + secrets.token_hex(8)
ONE_ROW = "SELECT aid, abalance FROM pgbench_accounts WHERE aid = "

PG_CONF = """
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
max_connections = {connections}
shared_buffers = 1GB
fsync = off             # nothing is written while measuring
synchronous_commit = off
full_page_writes = off
max_wal_senders = 0
autovacuum = off
jit = off
password_encryption = 'scram-sha-256'
"""

# The server trusts this machine, so that no target pays for a password check
# towards it; both proxies check their clients' with SCRAM.
PG_HBA = "host all all 127.0.0.1/32 trust\n"

BOUNCER_CONF = """
[databases]
open = host=127.0.0.1 port={pg} dbname=bench user=bench
judged = host=127.0.0.1 port={pg} dbname=bench user=bench
people = host=127.0.0.1 port={pg} dbname=bench user=bench
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {dir}/userlist.txt
pool_mode = session
max_client_conn = {connections}
default_pool_size = {connections}
ignore_startup_parameters = extra_float_digits
logfile = {dir}/pgbouncer.log
pidfile = {dir}/pgbouncer.pid
"""

KURABAN_CONF = """
listen = {{ "127.0.0.1:{port}" }}
state = "{dir}/state"
origin = "bench.example/kuraban"
max_clients = {connections}
language = "en"
{workers}
database "open" {{
    engine = "postgresql"
    upstream = "host=127.0.0.1 port={pg} dbname=bench user=bench"
    personal = "none"
}}
database "judged" {{
    engine = "postgresql"
    upstream = "host=127.0.0.1 port={pg} dbname=bench user=bench"
    table "public.pgbench_accounts" {{ open = true }}
}}
database "people" {{
    engine = "postgresql"
    upstream = "host=127.0.0.1 port={pg} dbname=bench user=bench"
    table "public.pgbench_accounts" {{
        subject = "aid"
        personal = {{ "abalance", "filler" }}
    }}
}}
role "bench" {{
    databases = {{ "open", "judged", "people" }}
    subjects_per_day = 1000000000
    subjects_per_year = 1000000000
    on_excess = "refuse"
}}
"""


def die(text):
    sys.exit("bench: " + text)


def say(text):
    print(text, file=sys.stderr, flush=True)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def drop():
    """PostgreSQL and PgBouncer do not run as root."""
    if os.getuid() == 0:
        user = pwd.getpwnam("postgres")
        os.setgroups([])
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)


def run(*args, **kw):
    r = subprocess.run([str(a) for a in args], capture_output=True, text=True, **kw)
    if r.returncode:
        die("%s: exit %d: %s" % (os.path.basename(str(args[0])), r.returncode,
                                 (r.stderr or r.stdout)[-1500:]))
    return r.stdout


def scram_secret(password):
    """As PostgreSQL stores it; with the password itself PgBouncer would derive
    it anew at each login."""
    salt, n = secrets.token_bytes(16), 4096
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, n)
    client = hmac.digest(salted, b"Client Key", "sha256")
    return "SCRAM-SHA-256$%d:%s$%s:%s" % (n, *(
        base64.b64encode(x).decode() for x in (
            salt, hashlib.sha256(client).digest(),
            hmac.digest(salted, b"Server Key", "sha256"))))


def put(name, text, mode=0o600):
    with open(name, "w") as f:
        f.write(text)
    os.chmod(name, mode)


def wait_for(what, probe, seconds=60):
    end = time.monotonic() + seconds
    while not probe():
        if time.monotonic() > end:
            die("waited %d s for %s" % (seconds, what))
        time.sleep(0.1)


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


def proc(pid, name):
    try:
        with open("/proc/%d/%s" % (pid, name)) as f:
            return f.read()
    except OSError:
        return ""


def family(pid):
    """A process and all its descendants."""
    children = {}
    for p in os.listdir("/proc"):
        if p.isdigit():
            text = proc(int(p), "stat")
            if text:
                parent = int(text.rsplit(")", 1)[1].split()[1])
                children.setdefault(parent, []).append(int(p))
    out, todo = [], [pid]
    while todo:
        p = todo.pop()
        out.append(p)
        todo += children.get(p, [])
    return out


class Target:
    """Where to connect, and which processes the path costs."""

    def __init__(self, name, port, pid=None):
        self.name, self.port, self.pid = name, port, pid

    def dbname(self, database):
        return "bench" if self.name == "direct" else database

    def conninfo(self, database, actor=ACTOR):
        return ("host=127.0.0.1 port=%d dbname=%s user=%s password=%s "
                "sslmode=disable gssencmode=disable" %
                (self.port, self.dbname(database), actor, PASSWORD))

    def groups(self):
        """{part of the proxy: its pids}"""
        if not self.pid:
            return {}
        if self.name != "kuraban":
            return {self.name: [self.pid]}
        out = {}
        for p in family(self.pid):
            line = proc(p, "cmdline").replace("\0", " ") + proc(p, "comm")
            part = next((r for r in ("gate", "ledger") if r in line), "parent") \
                if p != self.pid else "parent"
            out.setdefault(part, []).append(p)
        return out

    def cpu(self):
        """Seconds used so far by each part."""
        tick = os.sysconf("SC_CLK_TCK")
        return {part: sum(sum(map(int, proc(p, "stat").rsplit(")", 1)[1]
                                  .split()[11:13])) for p in pids) / tick
                for part, pids in self.groups().items()}

    def memory(self):
        """Bytes of each part: resident, and private (no shared pages counted;
        kernel memory such as socket buffers is in neither)."""
        out = {}
        for part, pids in self.groups().items():
            text = "".join(proc(p, "smaps_rollup") for p in pids)
            out[part] = {
                "rss": 1024 * sum(map(int, re.findall(r"^Rss:\s+(\d+)", text, re.M))),
                "private": 1024 * sum(map(int, re.findall(
                    r"^Private_(?:Dirty|Clean):\s+(\d+)", text, re.M)))}
        return out


class Setup:
    """The private PostgreSQL and the two proxies."""

    def __init__(self, build):
        self.build = os.path.abspath(build)
        self.dir = os.path.abspath(os.environ.get("BENCH_DIR", build + "/bench.tmp"))
        self.connections = max(IDLE, USED, 100) + 20
        self.started, self.targets, self.actors = [], {}, False
        shutil.rmtree(self.dir, ignore_errors=True)
        os.makedirs(self.dir)
        self.open_path()

    def open_path(self):
        """postgres must be able to reach its folder under ours."""
        at = self.dir
        while os.getuid() == 0 and at != "/":
            if not os.stat(at).st_mode & 0o001:
                os.chmod(at, os.stat(at).st_mode | 0o011)
            at = os.path.dirname(at)

    def start(self, args, log, **kw):
        with open(os.path.join(self.dir, log), "ab") as f:
            p = subprocess.Popen(args, stdout=f, stderr=f, cwd="/",
                                 start_new_session=True, **kw)
        self.started.append(p)
        return p

    def stop(self):
        for p in reversed(self.started):
            if p.poll() is None:
                p.send_signal(signal.SIGINT)
                try:
                    p.wait(30)
                except subprocess.TimeoutExpired:
                    p.kill()
        shutil.rmtree(self.dir, ignore_errors=True)

    def postgres(self):
        self.pg, data = free_port(), self.dir + "/pg"
        os.mkdir(data)
        if os.getuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(data, user.pw_uid, user.pw_gid)
        run(BIN + "initdb", "-D", data, "-U", "bench", "-E", "UTF8", "-N", "--auth=trust",
            "--locale=C.UTF-8", preexec_fn=drop, cwd="/")
        with open(data + "/postgresql.conf", "a") as f:
            f.write(PG_CONF.format(port=self.pg, connections=2 * self.connections + 200))
        put(data + "/pg_hba.conf", PG_HBA, 0o644)
        p = self.start([BIN + "postgres", "-D", data], "pg.log", preexec_fn=drop)
        wait_for("PostgreSQL", lambda: answers(self.pg))
        direct = Target("direct", self.pg)
        self.targets["direct"] = direct
        time.sleep(0.5)
        run(BIN + "createdb", "-h", "127.0.0.1", "-p", self.pg, "-U", "bench", "bench")
        say("filling %d rows" % ROWS)
        run(BIN + "pgbench", "-i", "-q", "-s", SCALE, direct.conninfo("bench"))
        run(BIN + "psql", "-X", "-c", "VACUUM FREEZE ANALYZE", "-c", "CHECKPOINT",
            direct.conninfo("bench"))
        return p

    def restart(self, name):
        """A proxy that has served nobody yet. Kuraban keeps its state."""
        pid = self.targets[name].pid
        p = next(p for p in self.started if p.pid == pid)
        p.send_signal(signal.SIGINT)
        p.wait(60)
        getattr(self, name)()
        run(self.tool("drain"), self.targets[name].conninfo("open"), "SELECT 1")

    def pgbouncer(self):
        port, d = free_port(), self.dir + "/pgbouncer"
        os.makedirs(d, exist_ok=True)
        put(d + "/userlist.txt", '"%s" "%s"\n' % (ACTOR, scram_secret(PASSWORD)),
            0o644)
        put(d + "/pgbouncer.ini", BOUNCER_CONF.format(
            pg=self.pg, port=port, dir=d, connections=self.connections), 0o644)
        if os.getuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(d, user.pw_uid, user.pw_gid)
        p = self.start(["pgbouncer", "-q", d + "/pgbouncer.ini"], "pgbouncer.out",
                       preexec_fn=self.drop_many)
        wait_for("PgBouncer", lambda: answers(port))
        self.targets["pgbouncer"] = Target("pgbouncer", port, p.pid)

    @staticmethod
    def drop_many():
        import resource
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        drop()

    def kuraban(self):
        port, program = free_port(), self.program()
        self.conf = self.dir + "/kuraban.conf"
        put(self.conf, KURABAN_CONF.format(
            pg=self.pg, port=port, dir=self.dir, connections=self.connections,
            workers="workers = " + WORKERS if WORKERS else ""), 0o640)
        log = "kuraban.%d.log" % port
        p = self.start([program, "serve", "-c", self.conf], log)
        wait_for("kuraban", lambda: p.poll() is not None or self.is_ready(log))
        if p.poll() is not None:
            die("kuraban serve ended: " + open(self.dir + "/" + log).read())
        self.targets["kuraban"] = Target("kuraban", port, p.pid)
        if self.actors:
            return
        self.actors = True
        for actor in [ACTOR] + ["bulk%d" % i for i in range(2 * REPS)]:
            run(program, "actor", "add", actor, "--role", "bench", "--password-stdin",
                "-c", self.conf, input=PASSWORD + "\n")

    def is_ready(self, log):
        with open(os.path.join(self.dir, log)) as f:
            return re.search(r"^ready", f.read(), re.M)

    def program(self):
        for name in ("kuraban", "src/kuraban", "src/cli/kuraban"):
            if os.access(os.path.join(self.build, name), os.X_OK):
                return os.path.join(self.build, name)
        die("there is no kuraban in " + self.build)

    def tool(self, name):
        return os.path.join(self.build, "bench", "bench_" + name)


# ---------------------------------------------------------------------------
# Measurements. Each returns {quantity: value}, CPU as seconds per unit.

def with_cpu(target, count, work):
    before = target.cpu()
    out = work()
    units = count(out)
    for part, seconds in target.cpu().items():
        out["cpu_" + part] = (seconds - before.get(part, 0)) / units
    out["cpu"] = sum(v for k, v in out.items() if k.startswith("cpu_"))
    return out


def pgbench(setup, target, database, mode, clients, script=None):
    args = [BIN + "pgbench", "-n", "-M", mode, "-c", clients,
            "-j", min(clients, 2), "-T", max(1, round(SECONDS))]
    args += ["-f", script, "-D", "scale=%d" % SCALE] if script else ["-S"]

    def work():
        text = run(*args, target.conninfo(database))
        tps = re.search(r"tps = ([\d.]+)", text)
        tx = re.search(r"actually processed: (\d+)", text)
        failed = re.search(r"number of failed transactions: ([1-9]\d*)", text)
        if not tps or not tx or failed:
            die("pgbench through %s:\n%s" % (target.name, text[-1500:]))
        return {"tps": float(tps.group(1)), "tx": int(tx.group(1))}
    return with_cpu(target, lambda out: out["tx"], work)


def drain(setup, target, sql, actor):
    def work():
        words = run(setup.tool("drain"), target.conninfo("people", actor), sql).split()
        if int(words[2]) != ROWS:
            die("%s: %s rows, not %d" % (target.name, words[2], ROWS))
        return {"wall": float(words[0]), "bytes": int(words[1])}
    return with_cpu(target, lambda out: ROWS, work)


def latency(setup, target):
    words = run(setup.tool("latency"), target.conninfo("people"), SECONDS, ROWS,
                ONE_ROW + "$1").split()
    return {"p50": float(words[1]), "p99": float(words[2]), "count": int(words[0])}


def idle(setup, target, count, sql=None):
    """Bytes per idle session."""
    before = target.memory()
    args = [setup.tool("idle"), target.conninfo("open"), str(count)]
    p = subprocess.Popen(args + ([sql] if sql else []), stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE, text=True)
    try:
        if p.stdout.readline().split()[:1] != ["open"]:
            die("%s: idle clients could not connect" % target.name)
        time.sleep(1)
        after = target.memory()
    finally:
        p.stdin.close()
        p.wait()
    time.sleep(1)       # let the sessions end before the next measurement
    out = {}
    for part, now in after.items():
        for what, n in now.items():
            was = before.get(part, {}).get(what, 0)
            out["%s_%s" % (what, part)] = (n - was) / count
            out[what] = out.get(what, 0) + (n - was) / count
    return out


class Results:
    def __init__(self):
        self.all = {}           # scenario: target: [measurement per repetition]

    def take(self, setup, scenario, work, targets=None):
        order = [setup.targets[t] for t in targets or setup.targets]
        random.shuffle(order)
        for target in order:
            got = work(target)
            self.all.setdefault(scenario, {}).setdefault(target.name, []).append(got)

    def ratio(self, scenario, quantity, over, difference=False):
        """[kuraban / over] of each repetition."""
        rows = self.all.get(scenario, {})
        pairs = list(zip(rows.get("kuraban", ()), rows.get(over, ())))
        return [a[quantity] - b[quantity] if difference else
                a[quantity] / b[quantity] if b[quantity] else float("inf")
                for a, b in pairs]


def small(setup, results, rep):
    script = setup.dir + "/row.sql"
    put(script, "\\set aid random(1, 100000 * :scale)\n" + ONE_ROW + ":aid;\n")
    for mode in ("simple", "prepared"):
        for clients in CLIENTS:
            say("  %s, %d clients" % (mode, clients))
            results.take(setup, "open %s %d" % (mode, clients),
                         lambda t: pgbench(setup, t, "open", mode, clients))
            for name, database in (("judged", "judged"), ("row", "people")):
                results.take(setup, "%s %s %d" % (name, mode, clients),
                             lambda t: pgbench(setup, t, database, mode, clients,
                                               script))


def check_counted(setup, actor):
    """That was no measurement if somebody was not counted."""
    rows = [json.loads(x) for x in run(setup.program(), "budget", actor, "--json", "-c",
                                       setup.conf).splitlines()]
    used = {r["used"] for r in rows}
    if used != {ROWS}:
        die("%s received %d people, counted are %s" % (actor, ROWS, used))


def bulk(setup, results, rep):
    # A fresh actor each time: nothing of what he gets has been counted before.
    for i, (name, sql) in enumerate((
            ("select", "SELECT * FROM pgbench_accounts"),
            ("copy", "COPY pgbench_accounts TO STDOUT"))):
        say("  " + name)
        actor = "bulk%d" % (2 * rep + i)
        results.take(setup, name, lambda t: drain(
            setup, t, sql, actor if t.name == "kuraban" else ACTOR))
        if "kuraban" in setup.targets:
            check_counted(setup, actor)


def late(setup, results, rep):
    say("  latency")
    results.take(setup, "latency", lambda t: latency(setup, t))


def memory(setup, results, rep):
    if rep > 0:
        return
    proxies = [t for t in setup.targets if t != "direct"]
    for scenario, count, sql in (("idle", IDLE, None),
                                 ("idle after a query", USED, "SELECT 1")):
        say("  %d clients %s" % (count, scenario))
        for name in proxies:
            setup.restart(name)
        results.take(setup, scenario, lambda t: idle(setup, t, count, sql), proxies)


def seal(setup, results, rep):
    say("  seal")
    kinds = [("bare loop", "seal", "raw"), ("store, 1 outstanding", "seal", "1"),
             ("store, 64 outstanding", "seal", "64"),
             ("process, 1 outstanding", "release", "1"),
             ("process, 64 outstanding", "release", "64")]
    random.shuffle(kinds)
    for i, (name, tool, kind) in enumerate(kinds):
        # Removed at the end: for half a minute ext4 steps over every inode that
        # was just freed when it looks for a new one.
        folder = "%s/seal.%d.%d" % (setup.dir, rep, i)
        os.mkdir(folder)
        rate, p50, cpu = run(setup.tool(tool), folder, SECONDS, kind).split()
        results.all.setdefault("seal", {}).setdefault(name, []).append(
            {"rate": float(rate), "p50": float(p50), "cpu": float(cpu) / 1e6})


# Memory first: later the allocators hold what others have left.
SECTIONS = {"memory": memory, "small": small, "bulk": bulk, "latency": late,
            "seal": seal}


# ---------------------------------------------------------------------------

def spread(values):
    return "%.2f (%.2f..%.2f)" % (statistics.median(values), min(values), max(values))


def verdict(values, bar, at_most):
    """yes or no when every repetition says so; else what the median says."""
    ok = [v <= bar if at_most else v >= bar for v in values]
    if all(ok):
        return "met"
    if not any(ok):
        return "missed"
    m = statistics.median(values)
    return "met by the median" if (m <= bar if at_most else m >= bar) else \
        "missed by the median"


def bars(r):
    """(what, values, unit, bar, at most) against DESIGN section 7."""
    for kind, what in (("open", "declared free"), ("judged", "judged, open table"),
                       ("row", "one personal row")):
        for mode in ("simple", "prepared"):
            for clients in CLIENTS:
                s = "%s %s %d" % (kind, mode, clients)
                name = "%s, %s, %d clients: " % (what, mode, clients)
                yield (name + "tps / PgBouncer's", r.ratio(s, "tps", "pgbouncer"),
                       1.0, False)
                yield (name + "CPU / PgBouncer's", r.ratio(s, "cpu", "pgbouncer"),
                       1.0, True)
    for s in ("select", "copy"):
        name = "%s of %d rows: " % (s.upper(), ROWS)
        yield name + "wall / direct", r.ratio(s, "wall", "direct"), 1.10, True
        yield name + "CPU / PgBouncer's", r.ratio(s, "cpu", "pgbouncer"), 1.0, True
    yield ("one personal row: ms added to direct, p50",
           [v / 1e3 for v in r.ratio("latency", "p50", "direct", True)], 0.3, True)
    seal = r.all.get("seal", {})
    yield ("durable entries one at a time / bare O_DSYNC loop's", [
        a["rate"] / b["rate"] for a, b in zip(seal.get("store, 1 outstanding", ()),
                                              seal.get("bare loop", ()))],
           0.85, False)
    yield ("sealed releases/s, 64 outstanding", [
        m["rate"] for m in seal.get("process, 64 outstanding", ())], 100000, False)
    for scenario in ("idle", "idle after a query"):
        yield ("KiB a client %s" % scenario, [
            m["private"] / 1024 for m in r.all.get(scenario, {}).get("kuraban", ())],
            16, True)


COLUMNS = (("tps", "tps", 1), ("rate", "entries/s", 1), ("p50", "p50 us", 1), ("p99", "p99 us", 1),
           ("wall", "wall s", 1), ("cpu", "CPU us/unit", 1e6),
           ("cpu_gate", "of it gate", 1e6), ("cpu_ledger", "ledger", 1e6),
           ("private", "private KiB/client", 1 / 1024),
           ("rss", "RSS KiB/client", 1 / 1024))


def report(results, where):
    for scenario, rows in results.all.items():
        used = [c for c in COLUMNS if any(c[0] in m for ms in rows.values() for m in ms)]
        print("\n### %s\n\n| target | %s |\n|---|%s" % (
            scenario, " | ".join(c[1] for c in used), "---|" * len(used)))
        for target, ms in rows.items():
            print("| %s | %s |" % (target, " | ".join(
                spread([m[c[0]] * c[2] for m in ms]) if all(c[0] in m for m in ms)
                else "" for c in used)))
    checks = [(what, v, bar, at_most, verdict(v, bar, at_most))
              for what, v, bar, at_most in bars(results) if v]
    if checks:
        print("\n| what | median (min..max) | bar | |\n|---|---|---|---|")
    for what, v, bar, at_most, said in checks:
        print("| %s | %s | %s %g | %s |" % (what, spread(v), "<=" if at_most else ">=",
                                            bar, said))
    with open(where, "w") as f:
        json.dump({"machine": machine(), "measured": results.all, "bars": [
            {"what": what, "values": v, "bar": bar, "at_most": at_most, "said": said}
            for what, v, bar, at_most, said in checks]}, f, indent=1)
    say("written: " + where)


def machine():
    model = re.search(r"model name\s*: (.*)", open("/proc/cpuinfo").read())
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"],
                            capture_output=True, text=True).stdout.strip()
    return {"cpu": model.group(1) if model else "", "cpus": os.cpu_count(),
            "kernel": os.uname().release, "loadavg": os.getloadavg(),
            "postgresql": run(BIN + "postgres", "--version").strip(),
            "pgbouncer": run("pgbouncer", "--version").splitlines()[0],
            "commit": commit, "seconds": SECONDS, "reps": REPS, "rows": ROWS,
            "workers": WORKERS or "default", "fsync": "off"}


def main():
    build = sys.argv[1]
    sections = sys.argv[2:] or list(SECTIONS)
    for s in sections:
        if s not in SECTIONS:
            die("no section %r; there are %s" % (s, ", ".join(SECTIONS)))
    setup, results = Setup(build), Results()
    try:
        setup.postgres()
        if "pgbouncer" in TARGETS:
            setup.pgbouncer()
        if "kuraban" in TARGETS:
            setup.kuraban()
        for rep in range(REPS):
            say("repetition %d of %d" % (rep + 1, REPS))
            for s in sections:
                SECTIONS[s](setup, results, rep)
        report(results, os.path.join(build, "bench.json"))
    finally:
        setup.stop()


if __name__ == "__main__":
    main()
