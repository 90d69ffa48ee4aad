// SPDX-License-Identifier: Apache-2.0
// What an application does through the npm package pg: node work.js HOST PORT USER PASSWORD
'use strict';
const assert = require('assert');
const { Client, Pool } = require('pg');

const [host, port, user, password] = process.argv.slice(2);
const config = (database, more) =>
	Object.assign({ host, port: Number(port), user, password, database }, more);

async function queries(ssl) {
	const c = new Client(config('crm', { ssl }));
	await c.connect();
	const r = await c.query('SELECT order_id, note FROM orders WHERE order_id < $1', [11]);
	assert.strictEqual(r.rows.length, 10);
	for (let i = 1; i < 6; i++) {
		const p = await c.query({ name: 'one', text: 'SELECT name FROM customers WHERE customer_id = $1', values: [i] });
		assert.strictEqual(p.rows[0].name.length, 8);
		assert.deepStrictEqual(p.fields.map(f => f.name), ['name']);
	}
	await assert.rejects(c.query('SELECT 1 / 0'), e => e.code === '22012');
	await c.query('BEGIN');
	await c.query("UPDATE orders SET note = 'x' WHERE order_id = $1", [1]);
	await c.query('SAVEPOINT s');
	await assert.rejects(c.query('syntax'));
	await c.query('ROLLBACK TO s');
	const n = await c.query('SELECT note FROM orders WHERE order_id = 1');
	assert.strictEqual(n.rows[0].note, 'x');
	await c.query('ROLLBACK');
	const all = await Promise.all(Array.from({ length: 200 }, (_, i) =>
		c.query('SELECT $1::int AS i', [i])));
	assert.deepStrictEqual(all.map(x => x.rows[0].i), [...all.keys()]);
	await c.end();
}

async function notify() {
	const c = new Client(config('plain'));
	const d = new Client(config('plain'));
	await c.connect();
	await d.connect();
	const got = new Promise(resolve => c.on('notification', resolve));
	await c.query('LISTEN news');
	await d.query("NOTIFY news, 'hello'");
	assert.strictEqual((await got).payload, 'hello');
	await c.end();
	await d.end();
}

async function pool() {
	const p = new Pool(config('crm', { max: 8 }));
	const all = await Promise.all(Array.from({ length: 100 }, (_, i) =>
		p.query('SELECT title FROM products WHERE product_id = $1', [i % 50 + 1])));
	assert(all.every(r => r.rows.length === 1));
	await p.end();
}

(async () => {
	await queries(false);
	await queries({ rejectUnauthorized: false });
	await notify();
	await pool();
	console.log('done');
})().catch(e => { console.error(e); process.exit(1); });
