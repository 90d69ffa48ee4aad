<?php
// SPDX-License-Identifier: Apache-2.0
// PHP's pdo_pgsql and pgsql: php work.php HOST PORT ACTOR SMALL PASSWORD
[, $host, $port, $actor, $small, $password] = $argv;

function ok($yes, $what)
{
	if (!$yes) {
		fwrite(STDERR, "$what\n");
		exit(1);
	}
}

function session($user, $database, $emulate)
{
	global $host, $port, $password;
	return new PDO("pgsql:host=$host;port=$port;dbname=$database", $user, $password,
	    [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION, PDO::ATTR_EMULATE_PREPARES => $emulate]);
}

function state($fn)
{
	try {
		$fn();
		return 'no error';
	} catch (PDOException $e) {
		return $e->getCode();
	}
}

function values_tour($d)
{
	$s = $d->prepare('SELECT CAST(:a AS int[]), CAST(:n AS text), CAST(:j AS jsonb), CAST(:u AS text), true');
	$s->execute(['a' => '{1,2}', 'n' => null, 'j' => '{"k": 1}', 'u' => '東京']);
	ok($s->fetch(PDO::FETCH_NUM) === ['{1,2}', null, '{"k": 1}', '東京', true], 'values');
}

foreach ([false, true] as $emulate) {
	$d = session($actor, 'crm', $emulate);
	values_tour($d);
	$s = $d->prepare('SELECT name FROM customers WHERE customer_id = ?');
	for ($i = 1; $i <= 20; $i++) {
		$s->execute([$i]);
		ok(strlen($s->fetchColumn()) == 8, "look-up $i");
	}
	ok(count($d->query('SELECT * FROM customers')->fetchAll()) == 1000, 'all');
	$d->beginTransaction();
	$d->exec("UPDATE orders SET note = 'x' WHERE order_id = 1");
	$d->exec('SAVEPOINT s');
	ok(state(fn() => $d->query('SELECT 1 / 0')) === '22012', 'division by zero');
	$d->exec('ROLLBACK TO s');
	ok($d->query('SELECT note FROM orders WHERE order_id = 1')->fetchColumn() === 'x', 'update');
	// One row a round trip: each is sealed by itself.
	$c = $d->prepare('SELECT name FROM customers WHERE customer_id <= 50', [PDO::ATTR_CURSOR => PDO::CURSOR_SCROLL]);
	$c->execute();
	for ($n = 0; $c->fetch(); $n++)
		;
	ok($n == 50, "cursor: $n");
	$lines = [];
	for ($i = 0; $i < 300; $i++)
		$lines[] = (6000 + $i) . "\tx\t1";
	ok($d->pgsqlCopyFromArray('products', $lines), 'copy in');
	ok($d->query('SELECT count(*) FROM products')->fetchColumn() == 350, 'copied');
	$d->rollBack();
	ok(count($d->pgsqlCopyToArray('orders')) == 2000, 'copy out');
	ok(state(fn() => $d->exec("INSERT INTO products VALUES (1, 'dup', 1)")) === '23505', 'unique');
	$d = session($small, 'crm', $emulate);
	ok(state(fn() => $d->query('SELECT name FROM customers')) === 'KB001', 'budget');
}
$c = session($actor, 'plain', false);
$d = session($actor, 'plain', false);
values_tour($c);
$c->exec('LISTEN news');
$d->exec("NOTIFY news, 'hello'");
$note = $c->pgsqlGetNotify(PDO::FETCH_ASSOC, 5000);
ok($note && $note['message'] === 'news' && $note['pid'] === $d->pgsqlGetPid() && $note['payload'] === 'hello', 'notify');
// The older extension: cancel, meta data.
$p = pg_connect("host=$host port=$port dbname=crm user=$actor password=$password");
ok(count(pg_meta_data($p, 'customers')) == 13, 'pg_meta_data');
ok(pg_send_query($p, 'SELECT pg_sleep(20)'), 'send');
usleep(300000);
ok(pg_cancel_query($p), 'cancel');
ok(pg_fetch_result(pg_query_params($p, 'SELECT $1::int', [5]), 0, 0) === '5', 'after the cancel');
ok(pg_insert($p, 'products', ['product_id' => 9999, 'title' => '品', 'price' => 1]) !== false, 'pg_insert');
ok(pg_delete($p, 'products', ['product_id' => 9999]), 'pg_delete');
echo 'PHP ' . PHP_VERSION . "\n";
