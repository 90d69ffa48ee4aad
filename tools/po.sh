#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Brings po/*.po up to the sources' messages. `tools/po.sh check` only says
# whether every message has a translation. The texts of tables (ERR, the verdict's
# X) are translated where they are shown.
set -eu
cd "$(dirname "$0")/.."

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

extract() {
	xgettext --from-code=UTF-8 --language=C --no-location --sort-by-file \
		--package-name=kuraban --output="$tmp/kuraban.pot" "$@" 2>"$tmp/log" || {
		cat "$tmp/log" >&2
		exit 1
	}
}
find src -name '*.c' -o -name '*.h' | LC_ALL=C sort >"$tmp/files"
extract --files-from="$tmp/files" \
	--keyword=_ --keyword=N_ --keyword=ngettext:1,2 --keyword=X:3 --keyword=ERR:2
# The advice in err.tbl.h; an empty one is not a message.
sed 's/, "")$/)/' src/base/err.tbl.h >"$tmp/advice.h"
extract --join-existing --keyword --keyword=ERR:3 "$tmp/advice.h"
# The hints of verdict.h, likewise.
sed 's/, "", "") /) /' src/verdict/verdict.h >"$tmp/hints.h"
extract --join-existing --keyword --keyword=X:4 "$tmp/hints.h"

for po in po/*.po; do
	if [ "${1:-}" = check ]; then
		msgfmt --check --output-file=/dev/null "$po"
		msgmerge --quiet --no-fuzzy-matching --output-file="$tmp/new.po" \
			"$po" "$tmp/kuraban.pot"
		msgattrib --untranslated --no-wrap "$tmp/new.po" >"$tmp/missing"
		if [ -s "$tmp/missing" ]; then
			echo "$po has no translation of:"
			sed '1,/^$/d' "$tmp/missing"
			exit 1
		fi
	else
		msgmerge --quiet --no-fuzzy-matching --no-location --sort-by-file \
			--output-file="$tmp/new.po" "$po" "$tmp/kuraban.pot"
		msgattrib --no-obsolete --output-file="$po" "$tmp/new.po"
		msgfmt --statistics --output-file=/dev/null "$po"
	fi
done
