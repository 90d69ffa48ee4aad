#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Mixed load while everything is killed at random: soak.sh [BUILD]. SOAK_MINUTES (30)
# and KURABAN_SEED may be set.
cd "$(dirname "$0")/.." || exit 1
sh tools/deps.sh test || exit 1
exec /usr/bin/python3 tests/fault/soak.py --build "${1:-build}"
