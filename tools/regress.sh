#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# PostgreSQL's own suites, directly and through the gate: regress.sh [BUILD] [ARG]...
# Takes the source package of the server from the Debian archive that this machine
# uses (package lists of its own, under BUILD/regress; the system's stay as they
# are), builds what the suites need and compares; see tests/interop/regress.py for
# the arguments. Without a source it says so and ends with 77.
set -eu
cd "$(dirname "$0")/.."
build=${1:-build}
[ $# -eq 0 ] || shift
top=$PWD/$build/regress
case $build in /*) top=$build/regress ;; esac

skip() {
	echo "skipped: $*"
	exit 77
}

fetch() {
	sh tools/deps.sh test
	command -v bzip2 >/dev/null || skip "bzip2 is not installed"
	mkdir -p "$top/apt/lists/partial" "$top/apt/cache/archives/partial"
	key=/usr/share/keyrings/debian-archive-keyring.gpg
	apt-get indextargets --format "deb-src [signed-by=$key] \$(REPO_URI) \$(RELEASE) \$(COMPONENT)" \
		'Created-By: Packages' 'Origin: Debian' >"$top/apt/sources.list"
	apt="-q -o Dir::Etc::sourcelist=$top/apt/sources.list -o Dir::Etc::sourceparts=-
		-o Dir::State::lists=$top/apt/lists -o Dir::Cache=$top/apt/cache"
	# shellcheck disable=SC2086
	apt-get $apt update >"$top/apt/log" 2>&1 || skip "no source packages: $(tail -n 1 "$top/apt/log")"
	# The server's own version first, else the nearest that is still there.
	have=$(dpkg-query -W -f '${Version}' postgresql-15)
	# shellcheck disable=SC2086
	for v in "$have" $(apt-cache $apt showsrc postgresql-15 | sed -n 's/^Version: //p' | sort -rV); do
		(cd "$top" && apt-get $apt --download-only --tar-only source "postgresql-15=$v") \
			>>"$top/apt/log" 2>&1 || continue
		echo "$v" >"$top/version"
		break
	done
	[ -f "$top/version" ] || skip "the source package is not there: $(tail -n 1 "$top/apt/log")"
	rm -rf "$top/src" "$top/unpack"
	mkdir "$top/unpack"
	tar -xjf "$top"/postgresql-15_*.orig.tar.bz2 -C "$top/unpack" --strip-components=1 \
		--wildcards '*/src/test/regress/*' '*/src/test/isolation/*' \
		'*/src/test/modules/libpq_pipeline/*'
	mv "$top/unpack" "$top/src"
	rm -f "$top"/postgresql-15_*.orig.tar.bz2
}

[ -d "$top/src" ] || fetch
lib=$top/lib
if [ ! -x "$lib/libpq_pipeline" ]; then
	pgxs=$(pg_config --pkglibdir)/pgxs/src/test
	[ -x "$pgxs/regress/pg_regress" ] || skip "postgresql-server-dev-15 is not installed"
	mkdir -p "$lib"
	inc="-I$(pg_config --includedir-server) -I$(pg_config --includedir)/internal
		-I$(pg_config --includedir)"
	# shellcheck disable=SC2086
	cc -O2 -w -fPIC -shared $inc -o "$lib/regress.so" "$top/src/src/test/regress/regress.c"
	cp "$(pg_config --pkglibdir)/refint.so" "$(pg_config --pkglibdir)/autoinc.so" "$lib"
	# shellcheck disable=SC2086
	cc -O2 -w $inc -o "$lib/libpq_pipeline" \
		"$top/src/src/test/modules/libpq_pipeline/libpq_pipeline.c" \
		-L"$(pg_config --pkglibdir)" -lpq -lpgcommon -lpgport -lm
fi
exec /usr/bin/python3 tests/interop/regress.py --build "$build" --source "$top" "$@"
