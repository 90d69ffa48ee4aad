#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Measures the tracer: bench-trace.sh [BUILD]. OURS and LIST say how many rows;
# the bars are for OURS=29000000 LIST=8220000 (about 6 GB in TMPDIR).
set -eu
cd "$(dirname "$0")/.."
kuraban=$PWD/${1:-build}/src/cli/kuraban
exec python3 bench/trace.py "$kuraban" "${OURS:-600000}" "${LIST:-300000}"
