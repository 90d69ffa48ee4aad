// SPDX-License-Identifier: Apache-2.0
// The npm package postgres: node postgres.js HOST PORT ACTOR SMALL PASSWORD
'use strict';
const assert = require('assert');
const postgres = require('postgres');

const [host, port, actor, small, password] = process.argv.slice(2);
const open = (user, database, more) => postgres(Object.assign(
	{ host, port: Number(port), user, password, database, max: 4, onnotice: () => {} }, more));

async function values(sql) {
	const [r] = await sql`SELECT ${[1, 2, 3]}::int[] AS a, ${sql.json({ k: [1, null] })}::jsonb AS j,
		${null}::text AS n, ${'東京 🏯'}::text AS u, ${new Date('2026-04-01T00:00:00Z')}::timestamptz AS z,
		${Buffer.from([0, 255])}::bytea AS b, ${'123456789012345678'}::int8 AS big`;
	assert.deepStrictEqual(r.a, [1, 2, 3]);
	assert.deepStrictEqual(r.j, { k: [1, null] });
	assert.strictEqual(r.n, null);
	assert.strictEqual(r.u, '東京 🏯');
	assert.strictEqual(r.z.toISOString(), '2026-04-01T00:00:00.000Z');
	assert.deepStrictEqual([...r.b], [0, 255]);
	assert.strictEqual(r.big, '123456789012345678');
	const [t] = await sql`SELECT ${['x', 'y"z', '品']}::text[] AS t`;
	assert.deepStrictEqual(t.t, ['x', 'y"z', '品']);
}

async function cancel(sql) {
	const q = sql`SELECT pg_sleep(20)`.execute();
	setTimeout(() => q.cancel(), 300);
	await assert.rejects(q, e => e.code === '57014');
}

async function protectedTour(sql) {
	for (let i = 1; i < 20; i++) {
		const [r] = await sql`SELECT name FROM customers WHERE customer_id = ${i}`;
		assert.strictEqual(r.name.length, 8);
	}
	const ids = Array.from({ length: 300 }, (_, i) => i + 1);
	assert.strictEqual((await sql`SELECT * FROM customers WHERE customer_id IN ${sql(ids)}`).length, 300);
	await assert.rejects(sql.begin(async t => {
		await t`UPDATE orders SET note = 'x' WHERE order_id = 1`;
		await t.savepoint(s => s`SELECT 1 / 0`).catch(e => assert.strictEqual(e.code, '22012'));
		const [r] = await t`SELECT note FROM orders WHERE order_id = 1`;
		assert.strictEqual(r.note, 'x');
		const rows = ids.map(i => ({ product_id: 5000 + i, title: '品' + i, price: i }));
		await t`INSERT INTO products ${t(rows)}`;
		const w = await t`COPY products (product_id, title, price) FROM STDIN`.writable();
		await new Promise((resolve, reject) => {
			w.on('error', reject).on('finish', resolve);
			for (let i = 0; i < 500; i++)
				w.write(`${8000 + i}\tx\t1\n`);
			w.end();
		});
		const [n] = await t`SELECT count(*)::int AS n FROM products`;
		assert.strictEqual(n.n, 850);
		throw new Error('undo');
	}), /undo/);
	let n = 0;
	for await (const rows of sql`SELECT name FROM customers`.cursor(64))
		n += rows.length;
	assert.strictEqual(n, 1000);
	let text = '';
	for await (const chunk of await sql`COPY (SELECT customer_id, name FROM customers) TO STDOUT`.readable())
		text += chunk;
	assert.strictEqual(text.split('\n').length, 1001);
	await assert.rejects(sql`INSERT INTO products VALUES (1, 'dup', 1)`,
		e => e.code === '23505' && e.constraint_name === 'products_pkey');
	const all = await Promise.all(Array.from({ length: 300 }, (_, i) => sql`SELECT ${i}::int AS i`));
	assert.deepStrictEqual(all.map(x => x[0].i), [...all.keys()]);
	const many = await sql`SELECT title FROM products WHERE product_id = ${1}; `.simple().catch(e => e.code);
	assert(many);
	assert.strictEqual((await sql.unsafe('SELECT 1 AS a; SELECT 2 AS b')).length, 2);
}

async function notify(sql, payload) {
	let told;
	const got = new Promise(resolve => { told = resolve; });
	const { unlisten } = await sql.listen('news', told);
	await sql.notify('news', 'hello');
	assert.strictEqual(await got, payload);
	await unlisten();
}

(async () => {
	for (const database of ['crm', 'plain']) {
		const sql = open(actor, database);
		await values(sql);
		await cancel(sql);
		if (database === 'crm') {
			await protectedTour(sql);
		} else {
			await sql`CREATE TEMP TABLE t (i int, u text)`.catch(() => {});
			await notify(sql, 'hello');
		}
		await sql.end();
	}
	for (const prepare of [true, false]) {
		const sql = open(small, 'crm', { prepare });
		await assert.rejects(sql`SELECT name FROM customers`.then(r => { throw new Error('rows: ' + r.length); }),
			e => e.code === 'KB001');
		// After rows and an error this package begins the next result with empty rows,
		// with any server.
		assert.strictEqual((await sql`SELECT count(*)::int AS n FROM orders`).at(-1).n, 2000);
		await sql.end();
	}
	console.log('npm postgres ' + require(process.env.NODE_PATH + '/postgres/package.json').version);
})().catch(e => { console.error(e); process.exit(1); });
