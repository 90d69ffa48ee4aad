#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fuzzes each target for SECONDS_EACH (60): fuzz.sh [BUILD [NAME...]]. New inputs
# stay in BUILD-fuzz/found/NAME, a crash stops with its file.
set -eu
cd "$(dirname "$0")/.."
sh tools/deps.sh test
dir=${1:-build}-fuzz
[ $# -gt 0 ] && shift
[ -f "$dir/build.ninja" ] || CC=clang CFLAGS=-fsanitize=fuzzer-no-link \
	meson setup "$dir" -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false \
	>/dev/null
names=${*:-$(cd tests/fuzz && ls ./*.c | sed 's/^\.\///; s/\.c$//')}
for name in $names; do
	ninja -C "$dir" --quiet "tests/fuzz/fuzz_$name"
	mkdir -p "$dir/found/$name"
	echo "== $name"
	UBSAN_OPTIONS=halt_on_error=1 "$dir/tests/fuzz/fuzz_$name" \
		-max_total_time="${SECONDS_EACH:-60}" -print_final_stats=1 -verbosity=0 \
		-artifact_prefix="$dir/found/" "$dir/found/$name" \
		"tests/fuzz/corpus/$name"
done
