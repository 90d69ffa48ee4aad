#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# make demo: SUBJECTS=N people, KEEP=1 leaves everything running.
set -eu
cd "$(dirname "$0")/.."
sh tools/deps.sh demo
exec "${1:-build}/src/cli/kuraban" demo --subjects "${SUBJECTS:-200000}" \
	${KEEP:+--keep}
