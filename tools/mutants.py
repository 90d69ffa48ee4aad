#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Would the soundness test notice? Breaks the verdict in many places, one by one.

    python3 tools/mutants.py [--statements N] [--only WORD] [--keep DIR]

Each mutant is the source with one thing forgotten; it is built apart and
tests/interop/noninterference.py must fail with it. Takes some twenty minutes.
"""
import argparse
import collections
import os
import re
import shutil
import subprocess
import sys
import tempfile

# what is forgotten, file, the lines as they are, the lines as they are not
MUTANTS = (
    ("WHERE", "src/verdict/expr.c",
     "\t\ttaint_presence(presence, t);\n\t}\n\tjudge_leave(j);",
     "\t\tif (cond != COND_FILTER)\n\t\t\ttaint_presence(presence, t);\n\t}\n"
     "\tjudge_leave(j);"),
    ("FILTER of an aggregate", "src/verdict/expr.c",
     'taint_merge(&all, expr_list(j, q, tree_get(n, "aggfilter")));\n\tquery_sort',
     '(void)expr_list(j, q, tree_get(n, "aggfilter"));\n\tquery_sort'),
    ("arguments of a window function", "src/verdict/expr.c",
     'struct taint all = expr_list(j, q, tree_get(n, "args"));\n\tuint64_t keys',
     'struct taint all = {0};\n\tuint64_t keys'),
    ("that windows sort", "src/verdict/query.c",
     "\ttaint_presence(&q->order, windows);\n", "\t(void)windows;\n"),
    ("RETURNING", "src/verdict/write.c",
     'query_targets(j, q, tree_get(q->node, "returningList"), NULL, r);',
     'query_targets(j, q, tree_get(q->node, "returningList"), NULL, r);\n'
     "\tfor (size_t i = 0; i < r->ncols; i++)\n\t\tr->cols[i] = value_free();"),
    ("that key + 1 is no key", "src/verdict/expr.c",
     '\t\texpr_operator(j, n, "opno", &t);\n\treturn tainted(t);',
     '\t\texpr_operator(j, n, "opno", &t);\n'
     '\treturn (struct value){.t = t, .key_of = tree_is(n, "OPEXPR") ?\n'
     '\t    expr_eval(j, q, tree_get(n, "args")->first).key_of : -1};'),
    ("whose row an outer join keeps", "src/verdict/expr.c",
     "if ((nullable & bit(b)) != 0 && (unsigned)b >= q->base)",
     "if ((unsigned)b >= q->base)"),
    ("EXISTS", "src/verdict/expr.c",
     "\ttaint_presence(&t, r.presence);\n\tif (type == ARRAY", "\tif (type == ARRAY"),
    ("what an outer join misses", "src/verdict/query.c",
     "taint_merge(presence, missing_side(j, q, kept, gone, inside, t));",
     "(void)missing_side(j, q, kept, gone, inside, t);"),
    ("GROUP BY", "src/verdict/query.c",
     "\ttaint_presence(&q->presence, by);\n", "\t(void)by;\n"),
    ("HAVING", "src/verdict/query.c",
     "\ttaint_presence(&q->presence, q->having);\n", ""),
    ("DISTINCT", "src/verdict/query.c",
     "\ttaint_presence(&q->presence, of);\n\tif (tree_bool", "\tif (tree_bool"),
    ("the right side of EXCEPT", "src/verdict/query.c",
     "\ttaint_presence(&l->presence, right);\n\tif (except && right.dep)\n"
     "\t\tl->presence.opaque = true;\n", ""),
    ("that keys of two tables differ", "src/verdict/query.c",
     " &&\n\t\t    j->inst[lmap[a]].domain != UINT16_MAX ?", " ?"),
    ("that an aggregate holds many", "src/verdict/expr.c",
     "\telse\n\t\tall.opaque = true;\n\treturn all;",
     "\telse\n\t\tall.extra = 1;\n\treturn all;"),
    ("recursion", "src/verdict/rte.c",
     "all = (struct taint){.opaque = true, .dep = all.dep};",
     "all = (struct taint){0};"),
    ("the order of partitions", "src/verdict/rte.c",
     "r->order = (struct taint){.p = bit(r->inst), .dep = true,",
     "r->order = (struct taint){.p = 0, .dep = false,"),
    ("OFFSET", "src/verdict/query.c",
     "if (q->outer == NULL && (is_null(offset) || is_zero(j, offset)))",
     "if (q->outer == NULL || is_zero(j, offset))"),
    ("whose row it is that INSERT .. SELECT writes", "src/verdict/write.c",
     "\tif (!key_allowed(j, target, attnum, t))\n\t\trefuse(j, WHY_COPIES, target);",
     "\t(void)key_allowed;"),
    ("that notices can be counted", "src/proc/gate/reply.c",
     "\tif (type == 'N')\n\t\treturn;\n", ""),
    ("that EXPLAIN ANALYZE counts", "src/proc/gate/judge.c",
     "of->class != VERDICT_FREE || of->v.splits ||\n"
     "\t    (analyze && of->v.touches_personal);", "of->class != VERDICT_FREE;"),
    ("command tags", "src/proc/gate/reply.c",
     "if (op->charged && j->v.tag_depends) {", "if (false) {"),
)


def run(*args, **kw):
    return subprocess.run(args, capture_output=True, text=True, **kw)


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--statements", default="4000")
    p.add_argument("--only", default="")
    p.add_argument("--keep", help="build there, and keep it")
    o = p.parse_args()
    top = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    work = o.keep or tempfile.mkdtemp(prefix="kuraban-mutants-")
    build = work + "/build"
    survivors = 0
    try:
        if not os.path.exists(work + "/src"):
            shutil.copytree(top, work, dirs_exist_ok=True,
                            ignore=shutil.ignore_patterns("build*", ".git"))
        if not os.path.exists(build):
            r = run("meson", "setup", build, work)
            if r.returncode:
                sys.exit(r.stdout[-2000:])
        for what, path, old, new in MUTANTS:
            if o.only not in what:
                continue
            path = os.path.join(work, path)
            with open(path) as f:
                text = f.read()
            if text.count(old) != 1:
                sys.exit("%s: found %d times: %r" % (path, text.count(old), old))
            try:
                with open(path, "w") as f:
                    f.write(text.replace(old, new))
                r = run("ninja", "-C", build, "src/cli/kuraban")
                if r.returncode:
                    sys.exit(r.stdout[-2000:])
                r = run("/usr/bin/python3",
                        work + "/tests/interop/noninterference.py", "--build", build,
                        "--statements", o.statements, "--seed", "77", "--jobs", "4")
            finally:
                with open(path, "w") as f:
                    f.write(text)
            said = collections.Counter(re.findall(
                r"tells \w from \w|upper bound|exactness|charged for nobody known|"
                r"session \w ended", r.stdout))
            survivors += not said
            print("%s forgets %s: %s" % (
                "found" if said else "SURVIVED", what,
                ", ".join("%s %d" % x for x in said.most_common())), flush=True)
    finally:
        if not o.keep:
            shutil.rmtree(work, ignore_errors=True)
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
