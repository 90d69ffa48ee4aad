#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every header compiles alone, and a .c file includes its own header, or its
# folder's private one, before others of ours.
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
	first=$(sed -n 's/^#include "\(.*\)".*/\1/p' "$c" | head -n 1)
	case $first in
	"$own" | "$(dirname "$own")"/*) ;;
	*) echo "$c: the first of our headers is $first, not $own"; bad=1 ;;
	esac
done
exit $bad
