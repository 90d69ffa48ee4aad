#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every header compiles alone, and a .c file includes its own header first.
cd "$1" || exit 2
bad=0
flags="-std=gnu17 -D_GNU_SOURCE -Isrc -I/usr/include/postgresql"
for h in $(find src -name '*.h' ! -name '*.tbl.h'); do
	printf '#include "%s"\n' "${h#src/}" |
		${CC:-cc} $flags -fsyntax-only -x c - || { echo "$h"; bad=1; }
done
for c in $(find src -name '*.c'); do
	own=${c#src/} own=${own%.c}.h
	[ -f "src/$own" ] || continue
	first=$(sed -n 's/^#include *["<]\(.*\)[">].*/\1/p' "$c" | head -n 1)
	[ "$first" = "$own" ] || { echo "$c: the first include is $first, not $own"; bad=1; }
done
exit $bad
