#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A short list of checks that find mistakes here, not matters of taste. The
# analyzer's null and leak checkers are left out: they do not see what must() and
# the slices guarantee; the sanitizers and valgrind look for those at run time.
checks='-*,bugprone-suspicious-*,bugprone-misplaced-*,bugprone-posix-return,
bugprone-signal-handler,bugprone-infinite-loop,bugprone-incorrect-roundings,
bugprone-string-literal-with-embedded-nul,-bugprone-suspicious-include,
clang-analyzer-deadcode.*,clang-analyzer-core.CallAndMessage,
clang-analyzer-core.DivideZero,clang-analyzer-core.StackAddressEscape,
clang-analyzer-unix.API,
clang-analyzer-unix.MismatchedDeallocator,clang-analyzer-unix.cstring.*'
cd "$1" || exit 2
sed -n 's/.*"file": ".*\(src\/[^"]*\.c\)".*/\1/p' "$2/compile_commands.json" | sort -u |
	xargs -P 2 -n 4 clang-tidy --quiet -p "$2" \
	--checks="$(printf %s "$checks" | tr -d '\n')" --warnings-as-errors='*' 2>/dev/null
