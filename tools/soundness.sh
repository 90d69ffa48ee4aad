#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Random statements over databases that differ in people only: soundness.sh [BUILD].
# STATEMENTS (5000) and SEED (the day's) may be set.
cd "$(dirname "$0")/.." || exit 1
exec python3 tests/interop/noninterference.py --build "${1:-build}" \
	--statements "${STATEMENTS:-5000}" --seed "${SEED:-$(date +%Y%m%d)}" \
	--sqlsmith "${SQLSMITH:-300}"
