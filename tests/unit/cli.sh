#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The command line: cli.sh KURABAN PO_BUILD_DIR. Prints TAP.
set -u
kuraban=$1 po=$2
here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
unset LC_ALL LC_MESSAGES LANGUAGE KURABAN_CONF
export LANG=C.UTF-8
cd "$tmp" || exit 1
n=0 failed=0

# expect STATUS PATTERN NAME COMMAND...
expect() {
	status=$1 pattern=$2 name=$3
	shift 3
	n=$((n + 1))
	"$@" >out 2>&1
	got=$?
	if [ $got = "$status" ] && grep -qE "$pattern" out; then
		echo "ok $n - $name"
	else
		echo "not ok $n - $name: status $got, $(head -c 300 out)"
		failed=1
	fi
}

expect 2 'usage: kuraban COMMAND' 'nothing lists the commands' "$kuraban"
expect 0 '^  check ' 'help lists them' "$kuraban" help
expect 0 '^kuraban [0-9]' 'version' "$kuraban" version
expect 0 '^kuraban [0-9]' '--version' "$kuraban" --version
for verb in $("$kuraban" help | sed -n 's/^  \([a-z]*\) .*/\1/p'); do
	expect 0 "^usage: kuraban $verb" "$verb --help" "$kuraban" "$verb" --help
	expect 0 "^usage: kuraban $verb" "help $verb" "$kuraban" help "$verb"
done
expect 2 'did you mean check\?' 'a near miss' "$kuraban" chek
expect 2 'see kuraban help' 'no such command' "$kuraban" frobnicate
expect 2 'for the parent' 'no such role' "$kuraban" -x nobody

cp "$here/../fuzz/corpus/conf/sample" good.conf
printf 'listen = "127.0.0.1:1"\nworkres = 1\n' >bad.conf
expect 0 'at most 100 people a day' 'check says what it means' "$kuraban" check -c good.conf
expect 0 'good.conf:14: warning: .*contact' 'check warns with the line' "$kuraban" check -c good.conf
expect 1 '^bad.conf:2: error: .*is it workers\?' 'check names a mistake' "$kuraban" check -c bad.conf
expect 1 'missing.conf: error: cannot be read' 'no file' "$kuraban" check -c missing.conf
expect 2 'unexpected argument' 'a stray argument' "$kuraban" check good.conf
expect 2 . 'an unknown option' "$kuraban" check --frobnicate
json='import json,sys
v = [json.loads(l) for l in sys.stdin]
assert all(set(o) == {"level", "file", "line", "text"} for o in v)
print(len(v), {o["level"] for o in v})'
for f in good bad; do
	expect 0 'meaning|error' "check --json of $f.conf" \
		sh -c '"$0" check -c "$1" --json | python3 -c "$2"' "$kuraban" $f.conf "$json"
done
expect 0 'good.conf: no errors' '$KURABAN_CONF' env KURABAN_CONF=good.conf "$kuraban" check
cp good.conf kuraban.conf
expect 0 'kuraban.conf: no errors' './kuraban.conf' "$kuraban" check
expect 2 'expected a number' 'demo of nobody' "$kuraban" demo --subjects 0

# Japanese, whether or not the machine has the locale; from the build tree ...
export LANG=ja_JP.UTF-8
expect 1 'エラー: .*workers ではありませんか' 'Japanese' "$kuraban" check -c bad.conf
expect 1 'error: ' 'English all the same' env LC_ALL=C.UTF-8 "$kuraban" check -c bad.conf
# ... and installed.
mkdir -p usr/bin usr/share/locale/ja/LC_MESSAGES
cp "$kuraban" usr/bin/kuraban
cp "$po/ja/LC_MESSAGES/kuraban.mo" usr/share/locale/ja/LC_MESSAGES/
expect 1 'エラー: .*workers ではありませんか' 'Japanese, installed' usr/bin/kuraban check -c bad.conf
echo "1..$n"
exit $failed
