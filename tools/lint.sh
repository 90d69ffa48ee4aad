#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The lint tests alone: lint.sh [BUILD].
cd "$(dirname "$0")/.." || exit 1
exec meson test -C "${1:-build}" --no-rebuild --print-errorlogs --suite lint
