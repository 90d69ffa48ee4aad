#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The generator measures the tracer, so it may share nothing with it but the raw
# dictionaries and the basics: no header, no library, no table made for it.
cd "$1" || exit 2
bad=0
out=$(grep -nE '^#[[:space:]]*include "' src/synth/*.[ch] |
	grep -vE '"(base|dict|synth)/')
[ -n "$out" ] && { echo "src/synth may include only base, dict and itself:"
	echo "$out"; bad=1; }
out=$(grep -nE 'dep_trace|lib_trace|trace_tables|\.\./trace' src/synth/meson.build
	grep -nE 'dep_synth|lib_synth|\.\./synth' src/trace/meson.build)
[ -n "$out" ] && { echo "neither may link the other:"; echo "$out"; bad=1; }
out=$(grep -noE '\bdict_[a-z0-9_]+\(' src/synth/*.c |
	grep -vE 'dict_(surnames|surnames_more|given_m|given_f|towns|line)\(')
[ -n "$out" ] && { echo "src/synth uses more than the raw dictionaries:"
	echo "$out"; bad=1; }
exit $bad
