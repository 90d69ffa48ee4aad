#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""More clients: the same tour with each, on a protected and on an open database.

Look-ups, transactions, prepared statements, COPY, arrays, json, NULL, Unicode,
errors, cancel, LISTEN and NOTIFY, large results by a cursor; and what happens at
the end of the budget, which must be an error of the client's own kind and never a
short result. docs/manual/clients.md says what was found.
"""
import asyncio
import datetime
import decimal
import glob
import os
import shutil
import subprocess
import sys

import people
from clients import Session
from harness import ACTOR_PASSWORD, HERE, Skip, Suite, check

CUT = "small"		# an actor with 100 people a day, one for each client


def actors(world, name):
    """(an actor with room, one whose budget ends at 100 people)"""
    return (world.gate.actor(name, "bulk"),
            world.gate.actor(name + "-" + CUT, "operator"))


# -- asyncpg --------------------------------------------------------------------------

def asyncpg_tour(world):
    try:
        import asyncpg
    except ImportError:
        raise Skip("no python3-asyncpg") from None
    actor, small = actors(world, "asyncpg")

    def connect(who, database):
        d = Session(world, who, database=database).dsn()
        return asyncpg.connect(host=d["host"], port=d["port"],
                               user=d["user"], password=d["password"],
                               database=d["dbname"], ssl=False, timeout=20)

    async def values(c):
        row = await c.fetchrow(
            "SELECT $1::int[] AS a, $2::text[] AS t, $3::jsonb AS j, $4::text "
            "AS n, $5::text AS u, $6::timestamptz AS z, $7::numeric AS d, "
            "$8::bytea AS b, $9::uuid AS id, $10::interval AS i, "
            "int4range(1, 5) AS r", [1, None, 3], ["x", "\u8535\u756a"],
            '{"k": [1, null]}', None, "\u6771\u4eac \U0001f3ef",
            datetime.datetime(2026, 4, 1, tzinfo=datetime.timezone.utc),
            decimal.Decimal("12345.678"), b"\0\xff",
            "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
            datetime.timedelta(days=1, seconds=5))
        check(row["a"] == [1, None, 3] and row["t"][1] == "\u8535\u756a" and
              row["n"] is None and row["u"] == "\u6771\u4eac \U0001f3ef" and
              row["d"] == decimal.Decimal("12345.678") and
              row["b"] == b"\0\xff" and row["r"].upper == 5 and
              row["i"].days == 1, "values: %r", row)

    async def transactions(c, table, key, column):
        async with c.transaction():
            await c.execute("UPDATE %s SET %s = $1 WHERE %s = $2"
                            % (table, column, key), 77, 1)
            try:
                async with c.transaction():
                    await c.execute("SELECT 1 / 0")
                check(False, "no error")
            except asyncpg.DivisionByZeroError:
                pass
            check(await c.fetchval("SELECT %s FROM %s WHERE %s = 1"
                                   % (column, table, key)) == 77,
                  "after a savepoint")

    async def cancel(c):
        try:
            await c.fetch("SELECT pg_sleep(20)", timeout=0.5)
            check(False, "not cancelled")
        except asyncio.TimeoutError:
            pass
        check(await c.fetchval("SELECT 1") == 1, "after the cancel")

    async def notify(a, b, payload):
        got = asyncio.get_running_loop().create_future()

        def told(*x):
            if not got.done():
                got.set_result(x)
        await a.add_listener("news", told)
        await b.execute("NOTIFY news, 'hello'")
        x = await asyncio.wait_for(got, 10)
        check(x[1] == b.get_server_pid() and x[2] == "news" and
              x[3] == payload, "%r", x[1:])
        await a.remove_listener("news", told)

    async def protected(c):
        for i in range(1, 20):
            row = await c.fetchrow("SELECT name, birth_date FROM customers "
                                   "WHERE customer_id = $1", i)
            check(len(row) == 2 and row["birth_date"].year >= 1930, "row")
        p = await c.prepare("SELECT note FROM orders WHERE order_id = $1")
        check(len([await p.fetchval(i) for i in range(1, 50)]) == 49 and
              [a.name for a in p.get_attributes()] == ["note"], "prepared")
        rows = await c.fetch("SELECT * FROM customers WHERE customer_id = "
                             "ANY($1)", list(range(1, 301)))
        check(len(rows) == 300, "ANY")
        async with c.transaction():
            n = 0
            async for _ in c.cursor("SELECT name FROM customers",
                                    prefetch=70):
                n += 1
            check(n == 1000, "cursor: %d", n)
            k = await c.cursor("SELECT customer_id, name FROM customers "
                               "ORDER BY 1")
            check(len(await k.fetch(5)) == 5 and await k.forward(10) == 10 and
                  (await k.fetchrow())["customer_id"] == 16, "cursor steps")
        import io
        out = io.BytesIO()
        await c.copy_from_query("SELECT customer_id, name FROM customers",
                                output=out, format="csv")
        check(out.getvalue().count(b"\n") == 1000, "copy out")
        out = io.BytesIO()
        await c.copy_from_table("orders", output=out)
        check(out.getvalue().count(b"\n") == 2000, "copy out of a table")
        t = c.transaction()
        await t.start()
        await c.copy_records_to_table("products", records=[
            (7000 + i, "\u54c1 %d" % i, decimal.Decimal(i))
            for i in range(2000)])
        check(await c.fetchval("SELECT count(*) FROM products") == 2050,
              "copy in")
        await c.executemany("INSERT INTO products VALUES ($1, $2, $3)",
                            [(9500 + i, None, 1) for i in range(100)])
        await t.rollback()
        try:
            await c.execute("INSERT INTO products VALUES (1, 'dup', 1)")
            check(False, "no error")
        except asyncpg.UniqueViolationError as e:
            check(e.constraint_name == "products_pkey" and
                  "(1)" in e.detail, "%r", e)

    async def run():
        for database in ("crm", "plain"):
            a = await connect(actor, database)
            b = await connect(actor, database)
            await values(a)
            await cancel(a)
            if database == "crm":
                await protected(a)
                await transactions(a, "products", "product_id", "price")
                await notify(a, b, "")
            else:
                await transactions(a, "pgbench_accounts", "aid", "abalance")
                await notify(a, b, "hello")
                await a.set_type_codec("json", encoder=str, decoder=str,
                                       schema="pg_catalog")
                await a.reload_schema_state()
            await a.reset()
            await a.close()
            await b.close()
        c = await connect(small, "crm")
        try:
            await c.fetch("SELECT name FROM customers")
            check(False, "a short result")
        except asyncpg.PostgresError as e:
            check(e.sqlstate == "KB001", "%r", e)
        check(await c.fetchval("SELECT count(*) FROM orders") == 2000,
              "open data after the end of the budget")
        await c.close()
        pool = await asyncpg.create_pool(
            **{k: v for k, v in dict(
                Session(world, actor).dsn(), ssl=False, min_size=2,
                max_size=6).items() if k not in ("dbname", "sslmode",
                                                 "connect_timeout")},
            database="crm")
        got = await asyncio.gather(*[
            pool.fetchval("SELECT title FROM products WHERE product_id = $1",
                          i % 50 + 1) for i in range(200)])
        check(all(x.startswith("Product") for x in got), "pool")
        await pool.close()

    async def stopped():
        task = asyncio.ensure_future(run())
        done, _ = await asyncio.wait([task], timeout=60)
        if not done:
            import io
            where = io.StringIO()
            task.print_stack(file=where)
            task.cancel()
            check(False, "hangs: %s", where.getvalue()[-600:])
        task.result()
    asyncio.run(stopped())
    return "asyncpg " + asyncpg.__version__


# -- SQLAlchemy -------------------------------------------------------------------------

def sqlalchemy_tour(world):
    try:
        import sqlalchemy as sa
        from sqlalchemy import orm
        import psycopg2  # noqa: F401
    except ImportError:
        raise Skip("no python3-sqlalchemy") from None
    actor, small = actors(world, "alchemy")

    def engine(who, database):
        d = Session(world, who, database=database).dsn()
        return sa.create_engine(sa.engine.URL.create(
            "postgresql+psycopg2", d["user"], d["password"], d["host"],
            d["port"], d["dbname"]), pool_size=2)
    base = orm.declarative_base()

    class Customer(base):
        __tablename__ = "customers"
        customer_id = sa.Column(sa.Integer, primary_key=True)
        name = sa.Column(sa.Text)
        birth_date = sa.Column(sa.Date)
        country = sa.Column(sa.Text)
        orders = orm.relationship("Order", back_populates="customer",
                                  order_by="Order.order_id")

    class Order(base):
        __tablename__ = "orders"
        order_id = sa.Column(sa.Integer, primary_key=True)
        customer_id = sa.Column(sa.ForeignKey("customers.customer_id"))
        total = sa.Column(sa.Numeric)
        note = sa.Column(sa.Text)
        customer = orm.relationship(Customer, back_populates="orders")

    e = engine(actor, "crm")
    with orm.Session(e) as s:
        c = s.get(Customer, 7)
        check(len(c.name) == 8 and len(c.orders) == 2, "lazy")
        rows = s.query(Customer).options(orm.joinedload(Customer.orders)) \
            .filter(Customer.customer_id.in_(range(1, 51))).all()
        check(len(rows) == 50 and all(len(x.orders) == 2 for x in rows),
              "joined")
        rows = s.query(Customer).options(orm.selectinload(Customer.orders)) \
            .filter(Customer.country == "JP").limit(20).all()
        check(len(rows) == 20 and len(rows[0].orders) == 2, "select in")
        rows = s.query(Customer.country, sa.func.count(), sa.func.sum(
            Order.total)).join(Order).group_by(Customer.country).all()
        check(len(rows) == 4, "group by")
        s.add(Order(order_id=90001, customer_id=1, total=5, note="\u7c73"))
        s.flush()
        check(s.query(Order).filter_by(note="\u7c73").one().customer_id == 1,
              "insert")
        with s.begin_nested() as sp:
            s.execute(sa.update(Order).where(Order.order_id == 90001)
                      .values(note="y"))
            sp.rollback()
        s.rollback()
        n = s.execute(sa.select(Customer.name).execution_options(
            yield_per=100, stream_results=True))
        check(sum(1 for _ in n) == 1000, "stream")
    try:
        with orm.Session(e) as s:
            s.add(Order(order_id=1, customer_id=1, total=1))
            s.commit()
        check(False, "no error")
    except sa.exc.IntegrityError as x:
        check(x.orig.pgcode == "23505", "%s", x)
    # A plain database: definitions are made and read.
    p = engine(actor, "plain")
    meta = sa.MetaData()
    t = sa.Table("alchemy", meta, sa.Column("id", sa.Integer, primary_key=True),
                 sa.Column("j", sa.JSON), sa.Column("a", sa.ARRAY(sa.Integer)),
                 sa.Column("u", sa.Unicode, index=True))
    with p.begin() as c:
        meta.drop_all(c)
        meta.create_all(c)
        c.execute(t.insert(), [{"id": i, "j": {"k": [i, None]}, "a": [i, i],
                                "u": "\u8535"} for i in range(50)])
        row = c.execute(t.select().where(t.c.id == 3)).one()
        check(row.j == {"k": [3, None]} and row.a == [3, 3], "%r", row)
    seen = sa.inspect(p)
    check([x["name"] for x in seen.get_columns("alchemy")] ==
          ["id", "j", "a", "u"] and len(seen.get_indexes("alchemy")) == 1,
          "inspect")
    seen = sa.inspect(e)
    names = seen.get_table_names()
    check("customers" in names and "v_plain" in seen.get_view_names() and
          len(seen.get_columns("customers")) == 13 and
          seen.get_pk_constraint("customers")["constrained_columns"] ==
          ["customer_id"] and len(seen.get_foreign_keys("orders")) == 1 and
          len(seen.get_indexes("orders")) == 1, "inspect, protected")
    sa.MetaData().reflect(e, only=["orders", "customers"])
    with engine(small, "crm").connect() as c:
        try:
            c.execute(sa.text("SELECT name FROM customers")).fetchall()
            check(False, "a short result")
        except sa.exc.DBAPIError as x:
            check(x.orig.pgcode == "KB001", "%s", x)
    for x in (e, p):
        x.dispose()
    return "SQLAlchemy " + sa.__version__


# -- Django -----------------------------------------------------------------------------

def django_tour(world):
    r = subprocess.run([sys.executable, "-c", "import django, psycopg2"],
                       capture_output=True)
    if r.returncode:
        raise Skip("no python3-django")
    return script(world, "django", [sys.executable, HERE + "/orm_django.py"])


# -- others, as scripts of their own ------------------------------------------------------

def script(world, name, command, timeout=60, env=None):
    """COMMAND HOST PORT ACTOR SMALL PASSWORD; the last line names versions."""
    actor, small = actors(world, name)
    r = subprocess.run(
        command + [world.gate.host, str(world.gate.port), actor, small,
                   ACTOR_PASSWORD], capture_output=True, text=True,
        timeout=timeout, env=dict(os.environ, LC_ALL="C.UTF-8",
                                  PGSSLMODE="disable", **(env or {})))
    check(r.returncode == 0, "exit %d: %s", r.returncode,
          (r.stdout + r.stderr)[-900:])
    return (r.stdout.strip().splitlines() or [""])[-1]


def tool(name):
    path = shutil.which(name)
    if not path:
        raise Skip("no " + name)
    return path


def npm_postgres(world):
    node, npm = tool("node"), tool("npm")
    where = os.path.join(os.path.abspath(world.options.build), "npm-postgres")
    if not os.path.isdir(where + "/node_modules/postgres"):
        os.makedirs(where, exist_ok=True)
        try:
            r = subprocess.run([npm, "install", "--no-audit", "--no-fund",
                                "--ignore-scripts", "--prefix", where,
                                "postgres@3"], capture_output=True, text=True,
                               timeout=120)
        except subprocess.TimeoutExpired:
            raise Skip("npm does not answer") from None
        if r.returncode:
            raise Skip("npm install postgres: no network?")
    return script(world, "postgresjs", [node, HERE + "/node/postgres.js"],
                  env={"NODE_PATH": where + "/node_modules"})


def perl_dbd(world):
    perl = tool("perl")
    if subprocess.run([perl, "-MDBD::Pg", "-e1"],
                      capture_output=True).returncode:
        raise Skip("no libdbd-pg-perl")
    return script(world, "perl", [perl, HERE + "/other/work.pl"])


def php_pdo(world):
    php = tool("php")
    r = subprocess.run([php, "-m"], capture_output=True, text=True)
    if "pdo_pgsql" not in r.stdout:
        raise Skip("no php-pgsql")
    return script(world, "php", [php, HERE + "/other/work.php"])


def ruby_pg(world):
    ruby = tool("ruby")
    if subprocess.run([ruby, "-e", "require 'pg'"],
                      capture_output=True).returncode:
        raise Skip("no ruby-pg")
    return script(world, "ruby", [ruby, HERE + "/other/work.rb"])


def libpqxx(world):
    cxx = tool("g++")
    if not os.path.exists("/usr/include/pqxx/pqxx"):
        raise Skip("no libpqxx-dev")
    program = os.path.join(os.path.abspath(world.options.build), "work-pqxx")
    source = HERE + "/other/work.cc"
    if not os.path.exists(program) or \
       os.path.getmtime(program) < os.path.getmtime(source):
        r = subprocess.run([cxx, "-std=c++17", "-O0", "-w", "-o", program,
                            source, "-lpqxx", "-lpq"], capture_output=True,
                           text=True, timeout=120)
        check(r.returncode == 0, "%s", r.stderr[-900:])
    return script(world, "pqxx", [program])


def odbc(world):
    try:
        import pyodbc
    except ImportError:
        raise Skip("no python3-pyodbc") from None
    driver = (glob.glob("/usr/lib/*/odbc/psqlodbcw.so") or [None])[0]
    if not driver:
        raise Skip("no odbc-postgresql")
    actor, small = actors(world, "odbc")

    def connect(who, database, **more):
        d = Session(world, who, database=database)
        return pyodbc.connect(
            "DRIVER={%s};SERVER=%s;PORT=%d;UID=%s;PWD=%s;DATABASE=%s;%s" % (
                driver, d.host, d.port, d.user, d.password, d.database,
                "".join("%s=%s;" % x for x in more.items())))
    for prepare in (0, 1):		# UseServerSidePrepare
        for fetch in (0, 1):		# UseDeclareFetch
            odbc_work(pyodbc, connect(actor, "crm",
                                      UseServerSidePrepare=prepare,
                                      UseDeclareFetch=fetch, Fetch=60))
    c = connect(actor, "plain")
    k = c.cursor()
    k.execute("CREATE TEMP TABLE t (i int, u text)")
    k.executemany("INSERT INTO t VALUES (?, ?)",
                  [(i, "\u8535") for i in range(50)])
    k.execute("SELECT count(*), min(u) FROM t")
    check(tuple(k.fetchone()) == (50, "\u8535"), "plain")
    c.commit()
    c.close()
    k = connect(small, "crm").cursor()
    try:
        k.execute("SELECT name FROM customers")
        k.fetchall()
        check(False, "a short result")
    except pyodbc.Error as e:
        check(e.args[0] == "KB001" or "KB001" in str(e) or
              "budget" in str(e), "%r", e.args)
    return "psqlODBC " + c_version(pyodbc, connect(actor, "crm"))


def c_version(pyodbc, c):
    return c.getinfo(pyodbc.SQL_DRIVER_VER)


def odbc_work(pyodbc, c):
    k = c.cursor()
    check(any(r.table_name == "customers" for r in k.tables(schema="public")),
          "SQLTables")
    check(len(list(k.columns(table="customers", schema="public"))) == 13,
          "SQLColumns")
    check([r.column_name for r in k.primaryKeys("customers",
                                                schema="public")] ==
          ["customer_id"], "SQLPrimaryKeys")
    check(len(list(k.foreignKeys(foreignTable="orders",
                                 foreignSchema="public"))) == 1,
          "SQLForeignKeys")
    check(len(list(k.statistics("orders", schema="public"))) >= 2,
          "SQLStatistics")
    for i in range(1, 12):
        k.execute("SELECT name, birth_date FROM customers WHERE customer_id "
                  "= ?", i)
        r = k.fetchone()
        check(len(r.name) == 8 and r.birth_date.year >= 1930, "look-up")
    k.execute("SELECT customer_id, name FROM customers")
    check(len(k.fetchall()) == 1000, "all")
    k.execute("UPDATE products SET title = ? WHERE product_id = ?",
              "\u6771\u4eac", 1)
    k.execute("SELECT title FROM products WHERE product_id = 1")
    check(k.fetchone()[0] == "\u6771\u4eac", "update")
    c.rollback()
    k.execute("SELECT CAST(NULL AS text), CAST(? AS numeric), true, "
              "CAST(? AS timestamp)", decimal.Decimal("1.25"),
              datetime.datetime(2026, 4, 1, 9, 0))
    check(tuple(k.fetchone())[:2] == (None, decimal.Decimal("1.25")),
          "values")
    try:
        k.execute("INSERT INTO products VALUES (1, 'dup', 1)")
        check(False, "no error")
    except pyodbc.Error as e:
        check(e.args[0] == "23505", "%r", e.args)
    c.rollback()
    c.close()


# -- PostgreSQL's own tools --------------------------------------------------------------

def run(world, session, program, *args, code=0, data=None, timeout=60):
    r = subprocess.run([os.path.join(world.pg.bin, program), *args],
                       capture_output=True, env=session.env(), input=data,
                       timeout=timeout)
    check(code is None or r.returncode == code, "%s: exit %d: %s", program,
          r.returncode, r.stderr.decode(errors="replace")[-700:])
    return r


def same_dump(a, b):
    # Each dump has a random word of its own in \\restrict and \\unrestrict.
    a, b = [[x for x in r.stdout.splitlines()
             if not x.startswith((b"\\restrict ", b"\\unrestrict "))]
            for r in (a, b)]
    wrong = [(x, y) for x, y in zip(a, b) if x != y][:3]
    check(a == b, "differs: %s, %d and %d lines", wrong, len(a), len(b))


def dump_schema(world):
    """pg_dump --schema-only prints what it prints without a gate."""
    actor, _ = actors(world, "dumper")
    a = run(world, Session(world, actor), "pg_dump", "--schema-only",
            timeout=120)
    b = run(world, Session(world, actor, True), "pg_dump", "--schema-only",
            timeout=120)
    same_dump(a, b)
    check(len(a.stdout) > 10000, "nothing is in it")
    check(not people.find(a.stdout), "data in it")
    return "%d lines" % a.stdout.count(b"\n")


def dump_all(world):
    """A dump within the budget is the same as without a gate."""
    actor, _ = actors(world, "dumper")
    args = ("--enable-row-security", "--exclude-table=f_customers")
    a = run(world, Session(world, actor), "pg_dump", *args, timeout=120)
    b = run(world, Session(world, actor, True), "pg_dump", *args, timeout=120)
    same_dump(a, b)
    used = world.gate.used(actor)
    check(used >= 1000, "%d people charged", used)
    return "%d people" % used


def dump_cut(world):
    """A dump over the budget fails, and what left is in the ledger."""
    _, small = actors(world, "dumper")
    for form in ("p", "c"):
        name = small + form
        world.gate.actor(name, "operator")
        r = run(world, Session(world, name), "pg_dump", "-F", form,
                "--enable-row-security", "-t", "customers", code=1)
        got = people.find(r.stdout) if form == "p" else set()
        check(b"budget" in r.stderr.lower() or b"KB001" in r.stderr,
              "%s", r.stderr)
        check(len(got) <= 100 and world.gate.used(name) == 100,
              "%d people left, %d charged", len(got), world.gate.used(name))
        check(any(e.get("actor") == name
                  for e in world.gate.entries(kind="release")),
              "no release is sealed")


def dump_restore(world):
    """Out of the protected database, into the open one, and back."""
    actor, _ = actors(world, "dumper")
    s = Session(world, actor)
    p = Session(world, actor, database="plain")
    r = run(world, s, "pg_dump", "-Fc", "-t", "orders", "-t", "products",
            "--no-owner", "--no-acl")
    path = world.top + "/orders.dump"
    with open(path, "wb") as f:
        f.write(r.stdout)
    # orders refers to customers, which stays where it is.
    made = run(world, p, "pg_restore", "--section=pre-data", "--section=data",
               "--no-owner", "-d", "plain", path)
    check(not made.stderr, "%s", made.stderr)
    n = run(world, p, "psql", "-XAtc", "SELECT count(*), sum(total) FROM "
            "orders").stdout
    d = run(world, Session(world, actor, True), "psql", "-XAtc",
            "SELECT count(*), sum(total) FROM orders").stdout
    check(n == d, "%s, not %s", n, d)
    run(world, s, "psql", "-XAtc", "DELETE FROM products")
    made = run(world, s, "pg_restore", "--data-only", "-t", "products", "-d",
               "crm", path)
    n = run(world, s, "psql", "-XAtc", "SELECT count(*) FROM products").stdout
    check(n.strip() == b"50", "%s", n)
    for j in ("1", "2"):		# -j: several sessions share a snapshot
        where = world.top + "/dump-" + j
        run(world, s, "pg_dump", "-Fd", "-j", j, "-f", where, "-t", "orders",
            "-t", "products")


def vacuumdb(world):
    """The other tools, on the open database."""
    actor, _ = actors(world, "dumper")
    p = Session(world, actor, database="plain")
    run(world, p, "pg_isready")
    run(world, p, "vacuumdb", "-z", "-t", "pgbench_accounts", "plain",
        code=None)
    run(world, p, "pgbench", "-n", "-t", "5", "-f", "-",
        data=b"SELECT 1;\n")


def pgcli(world):
    cli = tool("pgcli")
    actor, small = actors(world, "pgcli")
    s = Session(world, actor)
    top = world.top + "/pgcli"
    os.makedirs(top, exist_ok=True)
    rc = top + "/config"
    with open(rc, "w") as f:
        f.write("[main]\npager = cat\nenable_pager = False\n"
                "less_chatty = True\nkeyring = False\nmulti_line = False\n"
                "log_file = %s/log\nhistory_file = %s/history\n" % (top, top))
    r = subprocess.run(
        [cli, "--pgclirc", rc, "--less-chatty", "--warn", "off"],
        input="SELECT name FROM customers WHERE customer_id = 5;\n"
        "\\d orders\n\\dt\nSELECT wrong FROM orders;\n"
        "SELECT count(*) FROM orders;\n\\q\n", text=True, timeout=60,
        capture_output=True, env=dict(s.env(), HOME=top, TERM="dumb",
                                      COLUMNS="200"))
    text = r.stdout + r.stderr
    check(r.returncode == 0 and people.value(5, "name") in text and
          "order_id" in text and "2000" in text and
          'column "wrong" does not exist' in text, "%s", text[-900:])


def body(suite, world):
    for name, what, fn in (
            ("asyncpg", "asyncpg", asyncpg_tour),
            ("sqlalchemy", "SQLAlchemy with psycopg2", sqlalchemy_tour),
            ("django", "Django's ORM", django_tour),
            ("npm-postgres", "npm postgres", npm_postgres),
            ("perl", "DBD::Pg", perl_dbd),
            ("php", "pdo_pgsql", php_pdo),
            ("ruby", "ruby-pg", ruby_pg),
            ("libpqxx", "libpqxx", libpqxx),
            ("odbc", "psqlODBC", odbc),
            ("pgcli", "pgcli", pgcli),
            ("dump-schema", "pg_dump --schema-only", dump_schema),
            ("dump-all", "pg_dump within the budget", dump_all),
            ("dump-cut", "pg_dump over the budget", dump_cut),
            ("dump-restore", "pg_restore", dump_restore),
            ("tools", "pg_isready, vacuumdb, pgbench", vacuumdb)):
        suite.case(name, what, fn, world)


if __name__ == "__main__":
    suite = Suite(__doc__.splitlines()[0])
    if suite.options.direct:
        sys.exit("--direct has no meaning here")
    sys.exit(suite.run(body))
