#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# actor, status, budget and log, without and with a running server: verbs.sh
# KURABAN. Prints TAP. Needs no database.
set -u
kuraban=$1
tmp=$(mktemp -d)
chmod 755 "$tmp"
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$tmp"' EXIT
unset LC_ALL LC_MESSAGES LANGUAGE
# The leak check of a sanitizer build does not work inside the sandbox.
export ASAN_OPTIONS=detect_leaks=0
export LANG=C.UTF-8 KURABAN_CONF="$tmp/kuraban.conf"
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
with_password() {
	text=$1
	shift
	printf '%s\n' "$text" | "$@" --password-stdin
}
same() {
	[ "$1" = "$2" ] && echo ok
}

port=$((20000 + $$ % 20000))
cat >kuraban.conf <<CONF
listen = "127.0.0.1:$port"
state = "$tmp/state"
workers = 1
ledger_low_water_mb = 1
database "crm" {
    upstream = "host=127.0.0.1 port=1 dbname=crm user=gate password=secret"
    table "public.customers" { subject = "id"  personal = { "name" } }
}
role "operator" { databases = { "crm" }  subjects_per_day = 100 }
CONF

# --- no server -----------------------------------------------------------
expect 1 'no server runs' 'status without a server' "$kuraban" status
expect 0 'tanaka may now log in' 'add without a server' \
	with_password 'correct horse 1' "$kuraban" actor add tanaka --role operator
expect 1 'already' 'add twice' \
	with_password 'correct horse 1' "$kuraban" actor add tanaka --role operator
expect 1 'at least 12' 'a short password' \
	with_password 'short' "$kuraban" actor add sato --role operator
expect 1 'ASCII' 'a password of other characters' \
	with_password 'パスワードパスワード' "$kuraban" actor add sato --role operator
expect 1 'no such role' 'no such role' \
	with_password 'correct horse 1' "$kuraban" actor add sato --role king
expect 1 'cannot be' 'no such name' \
	with_password 'correct horse 1' "$kuraban" actor add 'a b' --role operator
expect 2 'role ROLE' 'no role' "$kuraban" actor add sato
expect 2 'name is missing' 'no name' "$kuraban" actor add
expect 2 'there is no frob' 'no such thing to do' "$kuraban" actor frob
expect 0 'tanaka +operator +enabled' 'list' "$kuraban" actor list
expect 0 '"actor":"tanaka","role":"operator","state":"enabled"' 'list --json' \
	"$kuraban" actor list --json
expect 0 'tanaka +operator +crm +0/100 +0 +0 +0' 'budget' "$kuraban" budget
expect 0 '"database":"crm","window":"day","used":0,"limit":100' 'budget --json' \
	"$kuraban" budget tanaka --json
expect 1 'no such actor' 'budget of nobody' "$kuraban" budget nobody
expect 0 '^       0 .* start' 'log tail' "$kuraban" log tail
expect 0 '^\{"index":0,"v":1,"kind":"start"' 'log tail --json' "$kuraban" log tail --json -n 100
expect 0 '"kind": "start"' 'log show' "$kuraban" log show 0
expect 0 '^\{"v":1,"kind":"start"' 'log show --json' "$kuraban" log show 0 --json
expect 1 'not found' 'log show past the end' "$kuraban" log show 1000000
expect 2 'not a number' 'log show of no number' "$kuraban" log show x
expect 1 'Nobody' 'log who of nobody' "$kuraban" log who --database crm --subject 1
expect 1 'not found' 'log who of no database' "$kuraban" log who --database x --subject 1
expect 2 'not a date' 'log who since no date' \
	"$kuraban" log who --database crm --subject 1 --since yesterday
expect 2 'are needed' 'log who of nothing' "$kuraban" log who
expect 0 'checkpoint covers' 'log checkpoint' "$kuraban" log checkpoint
entries=$("$kuraban" log tail --json -n 1)
expect 0 . 'list again' "$kuraban" actor list
expect 0 ok 'reading leaves no entry' \
	same "$entries" "$("$kuraban" log tail --json -n 1)"
expect 0 'whole' 'verify' "$kuraban" verify state/ledger --key state/ledger/vkey
expect 0 . 'actors are for their owner alone' sh -c \
	'test "$(stat -c %a state/actors)" = 600 && echo ok'
if [ "$(id -u)" = 0 ]; then
	expect 1 'sudo' 'another user may not read' setpriv --reuid 65534 \
		--clear-groups "$kuraban" log tail
	expect 0 . 'root leaves nothing of root in the state' sh -c \
		'test -z "$(find state -user 0)" && echo ok'
fi

# --- with a server -------------------------------------------------------
"$kuraban" serve >ready 2>log &
server=$!
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	grep -q '^ready' ready && break
	sleep 0.5
done
expect 0 '^ready' 'serve is ready' cat ready
expect 0 'running, releasing' 'status' "$kuraban" status
expect 0 '"coverage":\[\{"database":"crm","protected":true' 'status --json' \
	"$kuraban" status --json
expect 0 'sato may now' 'add' \
	with_password 'correct horse 2' "$kuraban" actor add sato --role operator
expect 1 'already' 'the same password again' \
	with_password 'correct horse 2' "$kuraban" actor password sato
expect 0 'password of sato' 'another password' \
	with_password 'correct horse 3' "$kuraban" actor password sato
expect 0 'disabled' 'disable' "$kuraban" actor disable sato
expect 0 'sato +operator +disabled' 'list shows it' "$kuraban" actor list
expect 0 'enabled' 'enable' "$kuraban" actor enable sato
expect 1 'no such actor' 'disable nobody' "$kuraban" actor disable nobody
expect 0 'sato +operator +crm +0/100' 'budget' "$kuraban" budget sato
expect 0 'actor-disable uid' 'the ledger says who did it' "$kuraban" log tail
expect 0 'checkpoint covers' 'checkpoint' "$kuraban" log checkpoint
if [ "$(id -u)" = 0 ]; then
	expect 1 'sudo' 'another user may not ask' setpriv --reuid 65534 \
		--clear-groups "$kuraban" status
fi
kill "$server"
wait "$server"
expect 0 ok 'serve stops in order' same $? 0
server=
expect 0 ' stop ' 'and says so' "$kuraban" log tail -n 1
expect 0 'sato +operator +enabled' 'what was changed is kept' "$kuraban" actor list
expect 0 'whole' 'verify again' "$kuraban" verify state/ledger --key state/ledger/vkey
echo "1..$n"
[ $failed = 0 ] || cat log >&2
exit $failed
