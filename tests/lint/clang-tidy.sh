#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A short list of checks that find mistakes, not matters of taste.
checks='-*,bugprone-sizeof-*,bugprone-suspicious-*,bugprone-misplaced-*,
bugprone-not-null-terminated-result,bugprone-posix-return,bugprone-signal-handler,
bugprone-infinite-loop,bugprone-incorrect-roundings,bugprone-string-literal-with-embedded-nul,
clang-analyzer-core.*,clang-analyzer-unix.*,clang-analyzer-deadcode.*,
-bugprone-suspicious-include,-clang-analyzer-unix.Vfork'
cd "$1" || exit 2
find src -name '*.c' -print0 | xargs -0 -P 2 -n 4 clang-tidy --quiet \
	-p "$2" --checks="$(printf %s "$checks" | tr -d '\n')" \
	--warnings-as-errors='*' 2>/dev/null
