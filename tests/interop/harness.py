# SPDX-License-Identifier: Apache-2.0
"""A private PostgreSQL, a gate in front of it, actors, and a test runner.

Every script that uses it runs alone:  /usr/bin/python3 exfil.py --build DIR
With --direct the attacks run against PostgreSQL itself, without a gate, to
prove that they are real: there the data must leave.
"""
import argparse
import concurrent.futures
import glob
import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback

import schema
from wire import Wire

HERE = os.path.dirname(os.path.abspath(__file__))
ROLE_PASSWORD = "gate-" + secrets.token_hex(8)
ACTOR_PASSWORD = "Actor-" + secrets.token_hex(8)


class Failure(Exception):
    """An expectation does not hold."""


class Skip(Exception):
    """The case cannot run here; says why."""


def check(condition, text, *args):
    if not condition:
        raise Failure(text % args if args else text)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def pg_bindir():
    found = [os.environ.get("PG_BINDIR", "")]
    found += ["/usr/lib/postgresql/15/bin"]
    found += sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True)
    initdb = shutil.which("initdb")
    if initdb:
        found.append(os.path.dirname(initdb))
    for d in found:
        if d and os.path.exists(os.path.join(d, "initdb")):
            return d
    raise Skip("PostgreSQL's server programs are not installed")


def wait_for(what, probe, seconds=15.0, step=0.05):
    """Polls until probe() is true."""
    end = time.monotonic() + seconds
    while True:
        last = probe()
        if last:
            return last
        if time.monotonic() > end:
            raise Failure("waited %g s for %s" % (seconds, what))
        time.sleep(step)


class Postgres:
    """A cluster of our own on a free port; never the system's."""

    def __init__(self, top):
        self.bin = pg_bindir()
        self.dir = os.path.join(top, "pg")
        self.log = os.path.join(top, "pg.log")
        self.host = "127.0.0.1"
        self.port = free_port()
        self.process = None
        self.user = None
        if os.getuid() == 0:
            for name in ("postgres", "nobody"):
                try:
                    self.user = pwd.getpwnam(name)
                    break
                except KeyError:
                    pass
        os.mkdir(self.dir, 0o700)
        if self.user:
            os.chown(self.dir, self.user.pw_uid, self.user.pw_gid)
        self._run("initdb", "-D", self.dir + "/data", "-U", "postgres",
                  "--auth=trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")
        self._configure()

    def _drop(self):
        if self.user:
            os.setgroups([])
            os.setgid(self.user.pw_gid)
            os.setuid(self.user.pw_uid)

    def _run(self, program, *args, data=None):
        r = subprocess.run([os.path.join(self.bin, program), *args],
                           preexec_fn=self._drop, cwd="/", input=data,
                           capture_output=True, text=True)
        if r.returncode:
            raise Failure("%s: %s" % (program, r.stderr[-2000:]))
        return r.stdout

    def _configure(self):
        with open(self.dir + "/data/postgresql.conf", "a") as f:
            f.write("listen_addresses = '127.0.0.1'\nport = %d\n"
                    "unix_socket_directories = '%s'\n"
                    "fsync = off\nsynchronous_commit = off\n"
                    "full_page_writes = off\nshared_buffers = 64MB\n"
                    "max_connections = 200\nwal_level = logical\n"
                    "jit = off\nautovacuum = off\n"
                    "password_encryption = 'scram-sha-256'\n"
                    % (self.port, self.dir))
        with open(self.dir + "/data/pg_hba.conf", "w") as f:
            f.write("local all postgres trust\n"
                    "host all all 127.0.0.1/32 scram-sha-256\n"
                    "host replication all 127.0.0.1/32 scram-sha-256\n")

    def start(self):
        log = open(self.log, "ab")
        self.process = subprocess.Popen(
            [os.path.join(self.bin, "postgres"), "-D", self.dir + "/data"],
            preexec_fn=self._drop, cwd="/", stdout=log, stderr=log,
            start_new_session=True)
        log.close()

        def up():
            try:
                with Wire(self.dir, self.port, "postgres", "postgres"):
                    return True
            except Exception:
                return False
        wait_for("PostgreSQL", up)

    def psql(self, database, text):
        return self._run("psql", "-X", "-q", "-A", "-t", "-h", self.dir,
                         "-p", str(self.port), "-U", "postgres",
                         "-v", "ON_ERROR_STOP=1", "-f", "-", database,
                         data=text)

    def build(self):
        self.psql("postgres",
                  "CREATE ROLE kuraban_gate LOGIN PASSWORD '%s';"
                  "CREATE ROLE kuraban_super LOGIN SUPERUSER PASSWORD '%s';"
                  "CREATE DATABASE crm; CREATE DATABASE plain;"
                  % (ROLE_PASSWORD, ROLE_PASSWORD))
        self.psql("crm", schema.crm(self.port, ROLE_PASSWORD))
        self.psql("plain", schema.PLAIN)

    def stop(self, how=signal.SIGINT):
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def direct(self, database="crm", role="kuraban_gate", **kw):
        return Wire(self.host, self.port, role, database, ROLE_PASSWORD, **kw)


CONF = """\
listen = {{ "127.0.0.1:{port}" }}
state = "{state}"
origin = "test.example/gate"
workers = {workers}
language = "en"
ledger_low_water_mb = {low_water}
{extra}

database "crm" {{
    engine = "postgresql"
    upstream = "host=127.0.0.1 port={pg} dbname=crm user=kuraban_gate password={password}"
{tables}}}

# The same data through an all-powerful account, for what only that one can do.
database "crm_super" {{
    engine = "postgresql"
    upstream = "host=127.0.0.1 port={pg} dbname=crm user=kuraban_super password={password}"
{tables}}}

database "plain" {{
    engine = "postgresql"
    upstream = "host=127.0.0.1 port={pg} dbname=plain user=kuraban_gate password={password}"
    personal = "none"
}}

{databases}
"""

TABLES = """\
    table "public.customers" {
        subject = "customer_id"
        personal = { "name", "kana", "birth_date", "sex", "postal_code", "address", "phone", "email" }
    }
    table "public.contacts" {
        subject = "customer_id"
        subject_of = "public.customers"
        personal = { "phone" }
    }
    table "public.staff" {
        subject = "staff_id"
        personal = { "name", "email" }
    }
    table "public.patients" {
        subject = "patient_id"
        personal = { "name" }
    }
    table "public.orders" { open = true }
    table "public.products" { open = true }
    table "public.ruled" { open = true }
    table "public.trig" { open = true }
    function "public.f_double" { open = true }
"""

# name, limits, what to do above them
ROLES = (
    ("operator", "subjects_per_day = 100", "refuse"),
    ("clerk", "subjects_per_day = 100\n    subjects_per_30days = 150", "refuse"),
    ("holder", "subjects_per_day = 100", "hold"),
    ("watched", "subjects_per_day = 100", "observe"),
    ("bulk", "subjects_per_day = 100000000", "refuse"),
)


class Gate:
    """`kuraban serve` with a configuration and a state directory of its own."""

    def __init__(self, top, build, pg, workers=2, extra="", roles="",
                 databases="", low_water=1, port=None, state=None):
        self.top = top
        self.build = os.path.abspath(build)
        self.program = find_program(self.build)
        with open(self.program, "rb") as f:	# it keeps what was freed for a while
            self.sanitized = b"__asan_init" in f.read()
        self.pg = pg
        self.host = "127.0.0.1"
        self.port = port or free_port()
        self.state = state or os.path.join(top, "state")
        self.conf = os.path.join(top, "kuraban.conf")
        self.log = os.path.join(top, "gate.log")
        self.process = None
        self.ready = None
        self.names = set()
        self.lock = threading.Lock()
        names = ", ".join('"%s"' % n for n in ["crm", "crm_super", "plain"] +
                          database_names(databases))
        text = CONF.format(port=self.port, state=self.state, pg=pg.port,
                           workers=workers, extra=extra, tables=TABLES,
                           databases=databases, low_water=low_water,
                           password=ROLE_PASSWORD)
        for name, limits, excess in ROLES:
            text += ('role "%s" {\n    databases = { %s }\n    %s\n'
                     '    on_excess = "%s"\n'
                     '    contact = "call the data office, ext. 4649"\n}\n'
                     % (name, names, limits, excess))
        with open(self.conf, "w") as f:
            f.write(text + roles)
        os.chmod(self.conf, 0o640)

    def cli(self, *args, data=None, timeout=60):
        return subprocess.run([self.program, *args, "-c", self.conf],
                              input=data, capture_output=True, text=True,
                              timeout=timeout, env=self._env())

    def _env(self):
        return dict(os.environ, LC_ALL="C.UTF-8", LANGUAGE="en")

    def json(self, *args):
        r = self.cli(*args, "--json")
        check(r.returncode == 0, "kuraban %s: exit %d: %s", " ".join(args),
              r.returncode, (r.stderr or r.stdout)[-400:])
        return [json.loads(x) for x in r.stdout.splitlines() if x.strip()]

    def start(self, timeout=40):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [self.program, "serve", "-c", self.conf],
                stdout=subprocess.PIPE, stderr=log, env=self._env(),
                start_new_session=True)
        seen = threading.Event()

        def follow(pipe):
            for line in pipe:
                with open(self.log, "ab") as log:
                    log.write(line)
                if line.startswith(b"ready"):
                    self.ready = line.decode().strip()
                    seen.set()
            seen.set()
        self.ready = None
        threading.Thread(target=follow, args=(self.process.stdout,),
                         daemon=True).start()
        seen.wait(timeout)
        if not self.ready:
            self.stop()
            raise Failure("serve is not ready: " + self.tail())

    def tail(self, n=1500):
        try:
            with open(self.log, errors="replace") as f:
                return f.read()[-n:]
        except OSError:
            return ""

    def stop(self, how=signal.SIGTERM, timeout=30):
        p = self.process
        if p and p.poll() is None:
            p.send_signal(how)
            try:
                p.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill()
        return p.returncode if p else None

    def kill(self):
        """kill -9 of the parent and of all that it started."""
        if not self.process:
            return
        pids = self.pids()
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()
        wait_for("killed processes to end", lambda: all(map(gone, pids)), 10)

    def pids(self, role=None):
        """The gate's processes; role: "gate" or "ledger" (children only)."""
        if not self.process:
            return []
        out = [] if role else [self.process.pid]
        for pid in descendants(self.process.pid):
            if role is None or role in cmdline(pid):
                out.append(pid)
        return out

    def actor(self, name, role="operator", password=ACTOR_PASSWORD):
        """Adds it unless it is there."""
        with self.lock:
            if name in self.names:
                return name
            self.names.add(name)
        r = self.cli("actor", "add", name, "--role", role,
                     "--password-stdin", data=password + "\n")
        check(r.returncode == 0, "actor add %s: %s", name,
              r.stderr or r.stdout)
        return name

    def connect(self, actor, database="crm", password=ACTOR_PASSWORD, **kw):
        return Wire(self.host, self.port, actor, database, password, **kw)

    def used(self, actor, window="day"):
        """Subjects charged to the actor, over all databases."""
        return sum(b["used"] for b in self.json("budget", actor)
                   if b.get("window") == window)

    def entries(self, **match):
        """The ledger's entries, oldest first."""
        out = []
        for e in self.json("log", "tail", "-n", "1000000"):
            e = e.get("entry", e)
            if all(e.get(k) == v for k, v in match.items()):
                out.append(e)
        return out

    def size(self):
        return len(self.json("log", "tail", "-n", "1000000"))

    def who(self, subject, database="crm"):
        r = self.cli("log", "who", "--database", database, "--subject",
                     str(subject), "--json")
        check(r.returncode in (0, 1), "log who: %s", r.stderr)
        return [json.loads(x) for x in r.stdout.splitlines() if x.strip()]

    def verify(self):
        self.cli("log", "checkpoint")
        with open(self.state + "/ledger/vkey") as f:
            key = f.read().strip()
        return self.cli("verify", self.state + "/ledger", "--key", key,
                        timeout=300)


def database_names(text):
    return [line.split('"')[1] for line in text.splitlines()
            if line.startswith("database ")]


def find_program(build):
    for p in ("kuraban", "src/kuraban", "src/cli/kuraban"):
        p = os.path.join(build, p)
        if os.access(p, os.X_OK) and os.path.isfile(p):
            return p
    raise Skip("no kuraban in %s" % build)


def cmdline(pid):
    try:
        with open("/proc/%d/cmdline" % pid, "rb") as f:
            text = f.read().replace(b"\0", b" ").decode("utf-8", "replace")
        with open("/proc/%d/comm" % pid) as f:
            return text + " " + f.read().strip()
    except OSError:
        return ""


def descendants(pid):
    parents = {}
    for d in os.listdir("/proc"):
        if d.isdigit():
            try:
                with open("/proc/%s/stat" % d) as f:
                    stat = f.read()
            except OSError:
                continue
            ppid = int(stat[stat.rindex(")") + 2:].split()[1])
            parents.setdefault(ppid, []).append(int(d))
    out, todo = [], [pid]
    while todo:
        for child in parents.get(todo.pop(), []):
            out.append(child)
            todo.append(child)
    return out


def gone(pid):
    """Ended, also when nobody has waited for it yet."""
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rsplit(")", 1)[1].split()[0] in "ZX"
    except OSError:
        return True


def rss_bytes(pid):
    with open("/proc/%d/statm" % pid) as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class World:
    """PostgreSQL and (unless direct) the gate, in a directory of their own."""

    def __init__(self, options, prepare=None, **gate):
        self.options = options
        self.prepare = prepare	# called when PostgreSQL is up
        self.gate_options = gate
        self.pg = self.gate = None
        self.top = None

    def __enter__(self):
        self.top = tempfile.mkdtemp(prefix="kuraban-test-")
        os.chmod(self.top, 0o755)
        try:
            self.pg = Postgres(self.top)
            self.pg.start()
            self.pg.build()
            if self.prepare:
                self.prepare(self)
            if not self.options.direct:
                o = {k: v(self) if callable(v) else v
                     for k, v in self.gate_options.items()}
                self.gate = Gate(self.top, self.options.build, self.pg, **o)
                self.gate.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.gate:
            try:
                self.gate.stop()
            finally:
                self.gate.kill()
        if self.pg:
            self.pg.stop()
        if self.options.keep:
            print("kept: " + self.top)
        else:
            shutil.rmtree(self.top, ignore_errors=True)

    def connect(self, actor, database="crm", **kw):
        """A session of the actor: through the gate, or directly."""
        if self.gate:
            return self.gate.connect(actor, database, **kw)
        role = "kuraban_gate"
        if database == "crm_super":
            database, role = "crm", "kuraban_super"
        return self.pg.direct(database, role, **kw)


class Suite:
    """Runs cases, prints one line each and the sum."""

    def __init__(self, doc, *more):
        """more: (flag, keyword arguments) of the script's own options."""
        p = argparse.ArgumentParser(description=doc)
        p.add_argument("--build", default="build",
                       help="the meson build directory")
        p.add_argument("-k", dest="match", default="",
                       help="only the cases whose name contains this")
        p.add_argument("--direct", action="store_true",
                       help="without a gate: show that the attacks are real")
        p.add_argument("--keep", action="store_true",
                       help="keep the working directory")
        p.add_argument("-v", "--verbose", action="store_true")
        p.add_argument("--list", action="store_true")
        for flag, settings in more:
            p.add_argument(flag, **settings)
        self.options = p.parse_args()
        self.count = {"passed": 0, "failed": 0, "skipped": 0}
        self.notes = []

    def wants(self, name):
        return self.options.match in name

    def case(self, name, what, fn, *args):
        """Runs fn; its return value, if any, is shown."""
        if not self.wants(name):
            return
        if self.options.list:
            print("%-34s %s" % (name, what))
            return
        start = time.monotonic()
        try:
            said = fn(*args)
            word, text = "passed", said or ""
        except Skip as e:
            word, text = "skipped", str(e)
        except (Failure, AssertionError) as e:
            word, text = "failed", str(e) or "assertion"
            if self.options.verbose:
                traceback.print_exc()
        except Exception as e:
            word, text = "failed", "%s: %s" % (type(e).__name__, e)
            if self.options.verbose:
                traceback.print_exc()
        self.count[word] += 1
        print("%s %d - %s: %s%s [%.1fs]%s" % (
            "not ok" if word == "failed" else "ok", sum(self.count.values()),
            name, what, (": " + text) if text and word != "skipped" else "",
            time.monotonic() - start,
            " # SKIP " + text if word == "skipped" else ""), flush=True)

    def finish(self):
        if self.options.list:
            return 0
        print("%(passed)d passed, %(failed)d failed, %(skipped)d skipped"
              % self.count)
        return 1 if self.count["failed"] else 0

    def run(self, body, **gate):
        """body(suite, world); exit code for sys.exit."""
        if self.options.list:
            body(self, None)
            return 0
        try:
            with World(self.options, **gate) as world:
                body(self, world)
                if world.gate and self.count["failed"] and \
                   self.options.verbose:
                    print(world.gate.tail(4000), file=sys.stderr)
        except Skip as e:
            print("skipped: %s" % e)
            print("0 passed, 0 failed, 1 skipped")
            return 77
        return self.finish()


def at_once(functions, workers=None):
    """Runs the functions in threads; their results in order."""
    with concurrent.futures.ThreadPoolExecutor(workers or len(functions)) as p:
        return [f.result() for f in [p.submit(fn) for fn in functions]]
