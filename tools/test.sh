#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Everything that is tested: test.sh [BUILD], with a private PostgreSQL. The unit tests and the fuzz corpora
# run a second time under the address and undefined-behaviour sanitizers. The
# last line is "N passed, N failed, N skipped", counting test cases.
set -u
cd "$(dirname "$0")/.."
build=${1:-build}
san=$build-san

sh tools/deps.sh test || exit 1
[ -f "$build/build.ninja" ] || meson setup "$build" >"$build.log" 2>&1 ||
	{ cat "$build.log"; exit 1; }
ninja -C "$build" --quiet || exit 1

[ -f "$san/build.ninja" ] ||
	meson setup "$san" -Db_sanitize=address,undefined >"$san.log" 2>&1 ||
	{ cat "$san.log"; exit 1; }
ninja -C "$san" --quiet || exit 1

rm -f "$build"/meson-logs/testlog*.json "$san"/meson-logs/testlog*.json
sh tools/with-pg.sh meson test -C "$build" --no-rebuild --print-errorlogs --no-suite bench
ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1} UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
	sh tools/with-pg.sh meson test -C "$san" --no-rebuild --print-errorlogs --logbase sanitized \
	--suite unit --suite fuzz-replay
python3 tools/testcount.py "$build/meson-logs/testlog.json" \
	"$san/meson-logs/sanitized.json"
