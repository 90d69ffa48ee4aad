#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Brings po/*.po up to the sources' messages. `tools/po.sh check` only says
# whether every message has a translation.
set -eu
cd "$(dirname "$0")/.."

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# err.tbl.h and the verdict's reasons are tables whose texts are translated
# where they are shown.
find src -name '*.c' -o -name '*.h' | LC_ALL=C sort >"$tmp/files"
xgettext --from-code=UTF-8 --language=C --add-comments=TRANSLATORS \
	--keyword=_ --keyword=N_ --keyword=ngettext:1,2 \
	--keyword=ERR:2 --keyword=ERR:3 --keyword=X:3 \
	--no-location --sort-by-file --package-name=kuraban \
	--files-from="$tmp/files" --output="$tmp/kuraban.pot" 2>"$tmp/log" || {
	cat "$tmp/log" >&2
	exit 1
}

for po in po/*.po; do
	if [ "${1:-}" = check ]; then
		msgfmt --check --output-file=/dev/null "$po"
		msgcmp "$po" "$tmp/kuraban.pot"
	else
		msgmerge --quiet --no-fuzzy-matching --no-location --sort-by-file \
			--output-file="$tmp/new.po" "$po" "$tmp/kuraban.pot"
		msgattrib --no-obsolete --output-file="$po" "$tmp/new.po"
		msgfmt --statistics --output-file=/dev/null "$po"
	fi
done
