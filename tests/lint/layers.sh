#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A folder of src/ includes only itself and the folders that the root
# meson.build names before it. src/proc and src/cli come last: they see all.
cd "$1" || exit 2
sed -n "s/^subdir('src\/\(.*\)')$/\1/p" meson.build | {
	below= bad=0
	while read -r folder; do
		below="$below $folder"
		out=$(grep -rnE '^#[[:space:]]*include "[a-z0-9_]+/' "src/$folder" \
			--include='*.[ch]' | while IFS= read -r line; do
			to=${line#*\"}
			case " $below " in
			*" ${to%%/*} "*) ;;
			*) echo "$line" ;;
			esac
		done)
		if [ -n "$out" ]; then
			echo "src/$folder may include only:$below"
			echo "$out"
			bad=1
		fi
	done
	exit $bad
}
