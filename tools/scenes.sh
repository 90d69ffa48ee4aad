#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Hostile and hard scenes at full size, with the waits that `make test` leaves out:
# scenes.sh [BUILD].
cd "$(dirname "$0")/.." || exit 1
sh tools/deps.sh test || exit 1
rc=0
for scene in client server load; do
	echo "== $scene"
	KURABAN_LONG=1 /usr/bin/python3 "tests/scene/$scene.py" --build "${1:-build}" || rc=1
done
exit $rc
