#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Measures the tracer: bench-trace.sh [BUILD]. About half an hour as it is; with
# BENCH_TRACE_FULL=1 the sizes that the bars are for: two hours, 35 GB in TMPDIR
# and 16 GiB of memory. Each size can be given by itself (rows).
set -eu
cd "$(dirname "$0")/.."
build=${1:-build}
if [ -n "${BENCH_TRACE_FULL:-}" ]; then
	set -- 29000000 8220000 35040000 7000000 216390000 1000000
else
	set -- 4000000 1500000 0 1000000 12000000 250000
fi
export OURS="${OURS:-$1}" LIST="${LIST:-$2}" BIG="${BIG:-$3}" \
	DEDUP="${DEDUP:-$4}" REPLAYED="${REPLAYED:-$5}" SKEW="${SKEW:-$6}"
ninja -C "$build" bench/bench_trace_replay bench/bench_trace_score >/dev/null
exec python3 bench/trace.py "$PWD/$build/src/cli/kuraban" \
	"$PWD/$build/bench/bench_trace_replay" \
	"$PWD/$build/bench/bench_trace_score"
