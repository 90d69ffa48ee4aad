#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs a command with a private PostgreSQL, whose superuser's conninfo is in
# KURABAN_TEST_PG: with-pg.sh COMMAND... Everything is removed afterwards.
set -u
bin=
for d in "${PG_BINDIR:-}" /usr/lib/postgresql/15/bin /usr/pgsql-15/bin; do
	[ -x "$d/initdb" ] && bin=$d && break
done
[ -n "$bin" ] || { echo "with-pg.sh: there is no PostgreSQL 15" >&2; exit 1; }

dir=$(mktemp -d)
as=
if [ "$(id -u)" -eq 0 ]; then
	# PostgreSQL does not run as root.
	user=nobody
	getent passwd postgres >/dev/null && user=postgres
	chown "$user" "$dir"
	as="setpriv --reuid $user --regid $(id -g "$user") --clear-groups"
fi
end() {
	$as "$bin/pg_ctl" -D "$dir/data" -m immediate -s stop >/dev/null 2>&1
	rm -rf "$dir"
}
trap end EXIT
trap 'exit 130' INT TERM HUP

cd / || exit 1
{
	$as "$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 \
		--no-sync &&
	$as "$bin/pg_ctl" -D "$dir/data" -w -s -l "$dir/log" start \
		-o "-k $dir -c listen_addresses='' -c fsync=off -c max_connections=50"
} >"$dir/start" 2>&1 || { cat "$dir/start" "$dir/log" >&2; exit 1; }
cd "$OLDPWD" || exit 1
KURABAN_TEST_PG="host=$dir user=postgres dbname=postgres" "$@"
