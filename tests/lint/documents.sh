#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A document that names a file of the repository names one that is there.
# Patterns (*) must match something; words in capitals stand for any name.
cd "$1" || exit 2
bad=0
for md in $(find . -name '*.md' ! -path './build*' ! -path '*/node_modules/*'); do
	dir=$(dirname "$md")
	for ref in $(grep -oE '(^|[^A-Za-z0-9_./-])(src|tests|tools|docs|bench|po)/[A-Za-z0-9_./*-]+' "$md" |
		sed -E 's/^[^a-z]//; s/[.,:]+$//' | sort -u); do
		case $ref in
		*NAME*|*VERB*) continue ;;
		esac
		# shellcheck disable=SC2086
		ls -d $ref >/dev/null 2>&1 || { echo "$md: $ref is not there"; bad=1; }
	done
	for ref in $(grep -oE '\]\([^)#: ]+' "$md" | sed 's/^](//' | sort -u); do
		[ -e "$dir/$ref" ] || { echo "$md: link to $ref"; bad=1; }
	done
done
# The same for sources that point at documents.
for ref in $(grep -rhoE 'docs/[A-Za-z0-9_/-]+\.md' src tests tools bench 2>/dev/null | sort -u); do
	[ -e "$ref" ] || {
		echo "$ref is not there, but:"
		grep -rln "$ref" src tests tools bench 2>/dev/null
		bad=1
	}
done
# ARCHITECTURE.md has every layer.
for d in src/*/; do
	grep -q "^| ${d%/} |" ARCHITECTURE.md || { echo "ARCHITECTURE.md: no ${d%/}"; bad=1; }
done
# docs/limits.md names limits that are there.
sed -n 's/^| `\([A-Z_]*\)` | \([^ ]*\) |.*/\1 \2/p' docs/limits.md | {
	while read -r name file; do
		grep -qE "(define|^|[[:space:],{])$name([[:space:]]|$)" "$file" ||
			{ echo "docs/limits.md: $file has no $name"; bad=1; }
	done
	exit $bad
}
