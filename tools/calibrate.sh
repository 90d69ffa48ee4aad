#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# make calibrate: do the tracer's intervals hold, and whom does it accuse wrongly?
# SEEDS (100) lists from files to report; TRIALS (30) times the attributions that
# make test does; lists with a line of 1 GiB and a value half a million times.
set -u
cd "$(dirname "$0")/.." || exit 1
B=${1:-build}
bad=0
python3 tests/trace/calibrate.py "$B/src/cli/kuraban" --seeds "${SEEDS:-100}" ||
	bad=1
TRACE_TRIALS=${TRIALS:-30} "$B/tests/unit/test_trace_attribute" || bad=1
TRACE_HUGE=1 python3 tests/trace/badinput.py "$B/src/cli/kuraban" || bad=1
exit $bad
