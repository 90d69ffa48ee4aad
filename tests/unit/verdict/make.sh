#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Writes *.tree and catalog.rows from a server: make.sh BUILD, with the superuser's
# conninfo in KURABAN_TEST_PG (PostgreSQL 15). The cases themselves are not touched.
set -e
: "${KURABAN_TEST_PG:?a conninfo, like 'host=127.0.0.1 user=postgres dbname=postgres'}"
here=$(cd "$(dirname "$0")" && pwd)
KURABAN_TEST_WRITE=$here exec "$1/tests/unit/test_verdict"
