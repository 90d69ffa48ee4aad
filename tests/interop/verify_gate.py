#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The ledger of a real gate, before the eyes of both verifiers.

Law L9: an outsider with tools/verify.py comes to the same answer as `kuraban
verify`, while the gate works, after kill -9 of all of it, and for each damaged copy.
"""
import os
import shutil
import subprocess
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "fault")]
sys.dont_write_bytecode = True

import verify_agree  # noqa: E402
import verify_test  # noqa: E402
from harness import Suite, check  # noqa: E402
from wire import AuthError, Closed  # noqa: E402

STATEMENTS = (
    "SELECT 1",
    "SELECT * FROM products",
    "SELECT customer_id, name FROM customers WHERE customer_id < 20",
    "SELECT name FROM customers WHERE phone = '090-0000-0000'",
    "COPY (SELECT * FROM customers WHERE customer_id < 30) TO STDOUT",
    "SELECT c.name, s.name FROM customers c, staff s WHERE c.customer_id = 3",
    "SELECT string_agg(name, ',') FROM customers",
    "SELECT * FROM customers",                      # beyond every budget
    "SELECT * FROM nowhere_at_all",
    "SELECT \u8535\u756a",
    "UPDATE customers SET name = name WHERE customer_id = 1 RETURNING name",
    "DO $$ BEGIN RAISE NOTICE 'x'; END $$",
    "SELECT pg_sleep(0.01)",
)


def key(gate):
    with open(gate.state + "/ledger/vkey") as f:
        return f.read().strip()


def look(gate, *more):
    code, out, err = verify_test.run(gate.state + "/ledger", "--key", key(gate),
                                     *more)
    check(code == 0, "verify.py: %d %s%s", code, out, err)
    return out


def both(gate):
    out = look(gate)
    c = subprocess.run([gate.program, "verify", gate.state + "/ledger", "--key",
                        key(gate)], capture_output=True, text=True)
    check(c.returncode == 0, "kuraban verify: %s%s", c.stdout, c.stderr)
    return out.splitlines()[0]


def traffic(world, rounds):
    gate = world.gate
    for role in ("operator", "clerk", "holder", "watched", "bulk"):
        gate.actor("v_" + role, role)
    for i in range(rounds):
        for role in ("operator", "clerk", "holder", "watched", "bulk"):
            for database in ("crm", "plain"):
                try:
                    with world.connect("v_" + role, database) as c:
                        for sql in STATEMENTS:
                            c.query(sql)
                            c.extended(sql)
                except (AuthError, OSError, Closed):
                    pass        # a refusal may end the session
    for password in ("wrong", ""):
        try:
            gate.connect("v_operator", password=password).close()
        except (AuthError, OSError, Closed):
            pass
    gate.cli("actor", "disable", "v_clerk")
    gate.cli("actor", "enable", "v_clerk")


def at_work(world):
    """Verified again and again while clients work."""
    t = threading.Thread(target=traffic, args=(world, 2))
    t.start()
    looks = 0
    while t.is_alive() or looks < 3:
        both(world.gate)
        looks += 1
    t.join()
    return "%d times" % looks


def after_kill(world):
    """kill -9 of all processes, amid traffic: whole before and after the restart."""
    t = threading.Thread(target=traffic, args=(world, 1))
    t.start()
    t.join(1.0)
    world.gate.kill()
    t.join()
    said = both(world.gate)
    world.gate.start()
    both(world.gate)
    return said


def kinds(world):
    """The traffic has made entries of many kinds, or it proves little."""
    found = {e["kind"] for e in world.gate.entries()}
    check({"start", "session", "statement", "release", "deny"} <= found,
          "only %s", found)
    return " ".join(sorted(found))


def proof(world):
    """--entry proves an entry and --old an earlier checkpoint."""
    gate = world.gate
    ledger = gate.state + "/ledger"
    gate.cli("log", "checkpoint")
    with tempfile.NamedTemporaryFile() as old:
        with open(ledger + "/checkpoint", "rb") as f:
            old.write(f.read())
        old.flush()
        traffic(world, 1)
        gate.cli("log", "checkpoint")
        look(gate, "--old", old.name)
    out = look(gate, "--entry", "5")
    check(out.startswith("c2sp.org/tlog-proof@v1\nindex 5\n"), "%s", out[:80])


class Copy(verify_agree.AgreeCase):
    def runTest(self):
        pass


def damage(world):
    """Each of a thousand damages of a copy: the same answer from both."""
    verify_agree.KURABAN = world.gate.program
    world.gate.kill()
    case = Copy()
    case.setUp()
    try:
        case.vkey = key(world.gate)
        shutil.copytree(world.gate.state + "/ledger", case.dir)
        passed = case.damage(20)
    finally:
        case.doCleanups()
    return "%d changes meant nothing" % passed


def body(suite, world):
    suite.case("at-work", "both verify while clients work", at_work, world)
    suite.case("kinds", "the traffic made many kinds of entries", kinds, world)
    suite.case("proof", "proofs of entries and of continuation", proof, world)
    suite.case("kill", "kill -9 amid traffic", after_kill, world)
    suite.case("damage", "the same answer for every damaged copy", damage, world)


if __name__ == "__main__":
    suite = Suite(__doc__.splitlines()[0])
    if suite.options.direct:
        sys.exit("--direct has no meaning here")
    sys.exit(suite.run(body))
