#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Measures direct, PgBouncer and Kuraban side by side: docs/performance.md.
#   tools/bench.sh BUILD [SECTION]...
set -eu
cd "$(dirname "$0")/.."
B=${1:-build}
[ $# -eq 0 ] || shift

missing=
command -v pgbouncer >/dev/null || missing="$missing pgbouncer"
[ -x /usr/lib/postgresql/15/bin/postgres ] || missing="$missing postgresql-15"
[ -f /usr/include/postgresql/libpq-fe.h ] || missing="$missing libpq-dev"
if [ -n "$missing" ]; then
	echo "bench: installing$missing" >&2
	apt-get install -y --no-install-recommends $missing >&2
	meson setup --reconfigure "$B" >&2
fi
ninja -C "$B" --quiet bench/bench_drain bench/bench_latency \
	bench/bench_idle bench/bench_seal bench/bench_release
exec python3 bench/run.py "$B" "$@"
