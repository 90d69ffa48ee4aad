#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing from Debian's packages: deps.sh [build|demo|test].
# Says and does nothing when all is there; needs no network then.
set -eu

build='meson ninja-build gcc pkg-config libuv1-dev libssl-dev libsodium-dev
libconfuse-dev libjansson-dev libsqlite3-dev libseccomp-dev libpg-query-dev libpq-dev
postgresql-server-dev-15 libcmocka-dev gettext python3'
demo='postgresql-15 postgresql-client-15'
tests="$demo python3-psycopg2 python3-psycopg python3-asyncpg python3-sqlalchemy
libdbd-pg-perl odbc-postgresql python3-pyodbc
libpostgresql-jdbc-java openssl clang libclang-rt-14-dev clang-tidy cppcheck
valgrind"

case "${1:-build}" in
build) want=$build ;;
demo) want="$build $demo" ;;
test)
	want="$build $tests"
	command -v javac >/dev/null 2>&1 || want="$want default-jdk-headless"
	command -v node >/dev/null 2>&1 || want="$want nodejs"
	command -v npm >/dev/null 2>&1 || want="$want npm"
	;;
*)
	echo "usage: deps.sh [build|demo|test]" >&2
	exit 2
	;;
esac

if ! command -v dpkg-query >/dev/null 2>&1; then
	# Not Debian: the build says what it does not find.
	exit 0
fi
have=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' 2>/dev/null |
	sed -n 's/^installed //p')
missing=
for p in $want; do
	printf '%s\n' "$have" | grep -qxF "$p" || missing="$missing $p"
done
[ -z "$missing" ] && exit 0

root=
if [ "$(id -u)" -ne 0 ]; then
	if ! command -v sudo >/dev/null 2>&1; then
		echo "These packages are missing; install them as root:$missing" >&2
		exit 1
	fi
	root='sudo'
fi
export DEBIAN_FRONTEND=noninteractive
apt() {
	$root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y \
		-o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confold "$@"
}
log=$(mktemp)
trap 'rm -f "$log"' EXIT

install() {
	apt --no-install-recommends install "$@" >"$log" 2>&1 ||
		{ apt update >"$log" 2>&1 &&
		apt --no-install-recommends install "$@" >"$log" 2>&1; } ||
		{ cat "$log" >&2; exit 1; }
}

echo "Installing:$missing"
# shellcheck disable=SC2086
apt-cache show $missing >/dev/null 2>&1 || apt update >"$log" 2>&1 ||
	{ cat "$log" >&2; exit 1; }
case " $missing " in
*" postgresql-15 "*)
	# The server's package starts a cluster by itself; nobody asked for one.
	conf=/etc/postgresql-common/createcluster.conf
	install postgresql-common
	$root sed -i.kuraban 's/^#* *create_main_cluster *=.*/create_main_cluster = false/' $conf
	grep -q '^create_main_cluster = false' $conf ||
		echo 'create_main_cluster = false' | $root tee -a $conf >/dev/null
	install postgresql-15
	$root mv $conf.kuraban $conf
	;;
esac
# shellcheck disable=SC2086
install $missing
