#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A short list of checks that find mistakes, not matters of taste. Without the
# analyzer: it takes minutes and does not see what must() and the slices guarantee;
# the tests run under sanitizers instead.
checks='-*,bugprone-suspicious-*,bugprone-misplaced-*,bugprone-posix-return,
bugprone-signal-handler,bugprone-infinite-loop,bugprone-incorrect-roundings,
bugprone-string-literal-with-embedded-nul,-bugprone-suspicious-include'
cd "$1" || exit 2
sed -n 's/.*"file": ".*\(src\/[^"]*\.c\)".*/\1/p' "$2/compile_commands.json" | sort -u |
	xargs -P 2 -n 4 clang-tidy --quiet -p "$2" \
	--checks="$(printf %s "$checks" | tr -d '\n')" --warnings-as-errors='*' 2>/dev/null
