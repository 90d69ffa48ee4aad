-- SPDX-License-Identifier: Apache-2.0
-- The call centre's desk: one customer at a time.

-- shows 1: the customer on the line, by number
SELECT * FROM customers WHERE customer_id = 17;

-- shows 1: by customer number
SELECT customer_id, name, kana, phone, address FROM customers WHERE customer_no = 'C000042';

-- shows 1: by telephone number, the number that calls
SELECT customer_id, name, rank FROM customers WHERE phone = '090-0001-0005';

-- shows 1: by e-mail
SELECT customer_id, name FROM customers WHERE email = 'c77@mail.example';

-- free: a telephone number that nobody has
SELECT customer_id, name FROM customers WHERE phone = '070-9999-9999';

-- shows 8: by the beginning of the name, a short list
SELECT customer_id, name, kana, phone FROM customers WHERE kana LIKE 'サトウ イ%' ORDER BY kana, customer_id LIMIT 20;

-- shows 3: name and birth date, as callers are identified
SELECT customer_id, name, address FROM customers WHERE kana LIKE 'スズキ%' AND birth_date BETWEEN '1950-01-01' AND '1952-12-31';

-- shows 8: part of the name anywhere
SELECT customer_id, name FROM customers WHERE name ILIKE '%田中 花%' ORDER BY customer_id LIMIT 10;

-- shows 1: the card view of one customer
SELECT * FROM v_customer_card WHERE customer_id = 33;

-- shows 1: the card with the store's name
SELECT c.name, c.phone, c.rank, s.name AS store FROM customers c JOIN stores s ON s.store_id = c.store_id WHERE c.customer_id = 8;

-- shows 1: all addresses of one customer
SELECT kind, postal_code, prefecture, city, street, building FROM addresses WHERE customer_id = 25 ORDER BY is_default DESC, address_id;

-- shows 1: all contacts of one customer
SELECT channel, value, verified_at FROM contacts WHERE customer_id = 60;

-- shows 1: customer with default address
SELECT c.customer_id, c.name, a.postal_code, a.city, a.street FROM customers c LEFT JOIN addresses a ON a.customer_id = c.customer_id AND a.is_default WHERE c.customer_id = 90;

-- shows 1: customer, addresses and contacts in one go
SELECT c.name, a.city, a.street, k.channel, k.value FROM customers c JOIN addresses a USING (customer_id) JOIN contacts k USING (customer_id) WHERE c.customer_id = 45;

-- shows 1: last orders of the caller
SELECT order_id, ordered_at, status, total, ship_name FROM orders WHERE customer_id = 8 ORDER BY ordered_at DESC LIMIT 5;

-- shows 1: last orders of the caller, found by telephone
SELECT o.order_id, o.ordered_at, o.status, o.total FROM orders o JOIN customers c USING (customer_id) WHERE c.phone = '090-0000-0008' ORDER BY o.ordered_at DESC;

-- shows 1: items of one order, with the recipient
SELECT o.ship_name, o.ship_address, p.title, i.quantity, i.price FROM orders o JOIN order_items i USING (order_id) JOIN products p USING (product_id) WHERE o.order_id = 120;

-- free: items of one order alone
SELECT p.title, i.quantity, i.price FROM order_items i JOIN products p USING (product_id) WHERE i.order_id = 120 ORDER BY i.line_no;

-- free: state of one order
SELECT order_id, status, total, ordered_at FROM orders WHERE order_id = 300;

-- shows 1: whose order it is
SELECT o.order_id, o.status, c.name, c.phone FROM orders o JOIN customers c USING (customer_id) WHERE o.order_id = 300;

-- shows 1: payments of an order
SELECT method, amount, card_last4, paid_at FROM payments WHERE order_id = 300;

-- free: payment method and amount of an order
SELECT method, amount, paid_at FROM payments WHERE order_id = 300;

-- shows 1: the caller's tickets
SELECT ticket_id, subject, state, opened_at FROM tickets WHERE customer_id = 30 ORDER BY opened_at DESC;

-- shows 1: one ticket with the customer and the colleague who has it
SELECT t.ticket_id, t.subject, t.body, c.name, c.phone FROM tickets t JOIN customers c USING (customer_id) WHERE t.ticket_id = 12;

-- shows 2: one ticket, the customer's name and the colleague's name: two people
SELECT t.ticket_id, t.subject, c.name AS customer, s.name AS colleague FROM tickets t JOIN customers c USING (customer_id) JOIN staff s USING (staff_id) WHERE t.ticket_id = 12;

-- shows 9: my open tickets, with their subjects
SELECT ticket_id, subject, priority FROM tickets WHERE staff_id = 5 AND state IN ('open', 'waiting') ORDER BY priority, opened_at;

-- free: my open tickets, without their subjects
SELECT ticket_id, state, priority, opened_at FROM tickets WHERE staff_id = 5 AND state <> 'closed' ORDER BY priority;

-- free: how many tickets are open
SELECT count(*) FROM tickets WHERE state = 'open';

-- shows 20: page 1 of the open tickets
SELECT ticket_id, customer_id, subject FROM v_open_tickets ORDER BY ticket_id LIMIT 20;

-- shows 20: page 2 of the open tickets
SELECT ticket_id, customer_id, subject FROM v_open_tickets ORDER BY ticket_id LIMIT 20 OFFSET 20;

-- shows 20: page 3, by the key of the last row
SELECT ticket_id, customer_id, subject FROM v_open_tickets WHERE ticket_id > 80 ORDER BY ticket_id LIMIT 20;

-- shows 1: call history of the caller
SELECT started_at, direction, seconds, result, note FROM call_logs WHERE customer_id = 12 ORDER BY started_at DESC LIMIT 10;

-- shows 1: who called from this number before
SELECT c.customer_id, c.name, l.started_at FROM call_logs l JOIN customers c USING (customer_id) WHERE l.caller_phone = '090-77';

-- shows 1: the caller's consents
SELECT purpose, granted, changed_at FROM consents WHERE customer_id = 99 ORDER BY purpose;

-- shows 1: may we call this customer
SELECT granted FROM consents WHERE customer_id = 99 AND purpose = 'phone';

-- shows 1: has the customer any open ticket (and who is it)
SELECT c.name, EXISTS (SELECT FROM tickets t WHERE t.customer_id = c.customer_id AND t.state = 'open') AS waiting FROM customers c WHERE c.customer_id = 4;

-- shows 1: how many orders has the customer
SELECT c.name, count(o.order_id) AS orders, sum(o.total) AS spent FROM customers c LEFT JOIN orders o USING (customer_id) WHERE c.customer_id = 4 GROUP BY c.customer_id, c.name;

-- free: how many orders has customer 4 (the operator knows the number)
SELECT count(*), sum(total), max(ordered_at) FROM orders WHERE customer_id = 4;

-- free: points and rank of customer 4
SELECT points, rank, status FROM customers WHERE customer_id = 4;

-- shows 1: the customer's points with the key
SELECT customer_id, points, rank FROM customers WHERE customer_id = 4;

-- shows 1: age in years
SELECT name, date_part('year', age('2026-07-01'::date, birth_date)) AS years FROM customers WHERE customer_id = 7;

-- shows 1: display form of name and address
SELECT name || ' 様' AS addressee, '〒' || substr(postal_code, 1, 3) || '-' || substr(postal_code, 4) || ' ' || prefecture || address AS label FROM customers WHERE customer_id = 7;

-- shows 1: only the masked telephone number
SELECT customer_id, regexp_replace(phone, '\d{4}$', '****') AS masked FROM customers WHERE customer_id = 7;

-- shows 1: an attribute out of jsonb
SELECT customer_id, attributes->>'shoe' AS shoe, attributes ? 'dm' AS dm FROM customers WHERE customer_id = 7;

-- shows 3: three customers by number
SELECT customer_id, name FROM customers WHERE customer_id IN (3, 5, 8);

-- shows 3: the same with an array, as drivers send it
SELECT name, phone FROM customers WHERE customer_id = ANY ('{3,5,8}'::int[]);

-- shows 2: household: same address as customer 5 (5 itself and one more by number)
SELECT name FROM customers WHERE customer_id IN (5, 6);

-- shows 1: the newest audit entries about one customer
SELECT at, staff_id, action, old_row, new_row FROM audit_log WHERE customer_id = 50 ORDER BY at DESC LIMIT 5;

-- free: who changed customer 50, when (staff number only)
SELECT at, staff_id, action FROM audit_log WHERE customer_id = 50 ORDER BY at DESC;

-- shows 1: session of a customer who has login trouble
SELECT session_id, ip, created_at, expires_at FROM web_sessions WHERE customer_id = 20;

-- shows 1: by session e-mail
SELECT customer_id, ip, expires_at FROM web_sessions WHERE email = 'c20@mail.example';

-- shows 1: an extension number of a colleague
SELECT name, phone FROM staff WHERE login = 'staff3';

-- shows 8: telephone list of the own department
SELECT staff_id, name, phone FROM staff WHERE department = 'desk' AND active ORDER BY staff_id;

-- free: which stores are open in Tokyo
SELECT store_id, name, opened_on FROM stores WHERE prefecture = 'Tokyo' AND closed_on IS NULL;

-- free: is the product in stock
SELECT sku, title, stock, price FROM products WHERE sku = 'SKU-0012';

-- free: products by part of the title
SELECT product_id, title, price FROM products WHERE title ILIKE '%lamp%' AND NOT discontinued ORDER BY price LIMIT 10;

-- free: running campaigns
SELECT campaign_id, title, ends_on FROM campaigns WHERE date '2026-03-01' BETWEEN starts_on AND ends_on;

-- shows 1: a cursor over the caller's orders, as a GUI fetches
BEGIN;
DECLARE c CURSOR FOR SELECT o.order_id, o.ship_name FROM orders o WHERE o.customer_id = 15;
FETCH 50 FROM c;
CLOSE c;
COMMIT;

-- shows 1: a prepared look-up
PREPARE look (int) AS SELECT customer_id, name, phone FROM customers WHERE customer_id = $1;
EXECUTE look (77);
EXECUTE look (77);
DEALLOCATE look;

-- shows 1: full text search for a rare name with the birth date
SELECT customer_id, name FROM customers WHERE search @@ plainto_tsquery('simple', '佐藤 健') AND birth_date < '1950-01-01' ORDER BY customer_id LIMIT 1;

-- shows 5: names like this one (trigrams)
SELECT customer_id, name, similarity(name, '加藤 翔') AS s FROM customers WHERE name % '加藤 翔' ORDER BY s DESC, customer_id LIMIT 5;

-- shows 5: fuzzy, nearest first
SELECT customer_id, name FROM customers ORDER BY name <-> '小林 美咲', customer_id LIMIT 5;

-- shows 1: without accents
SELECT customer_id, unaccent(name) FROM customers WHERE customer_id = 3;

-- shows 1: mobile numbers compared without hyphens
SELECT customer_id, name FROM customers WHERE replace(phone, '-', '') = '09000010050';

-- shows 1: lock the customer's row while talking
BEGIN;
SELECT customer_id, name, phone FROM customers WHERE customer_id = 17 FOR UPDATE;
ROLLBACK;

-- free: who am I, what time is it
SELECT current_user, now(), version();

-- free: next call in the queue (job table)
SELECT job_id, queue, run_at FROM jobs WHERE done_at IS NULL ORDER BY run_at LIMIT 1;

-- shows 1: call-back list entry with the customer's name
SELECT l.call_id, c.name, c.phone FROM call_logs l JOIN customers c USING (customer_id) WHERE l.result = 'call back' AND l.staff_id = 5 ORDER BY l.started_at LIMIT 1;

-- shows 1: what the customer bought most
SELECT p.title, sum(i.quantity) AS n, c.name FROM customers c JOIN orders o USING (customer_id) JOIN order_items i USING (order_id) JOIN products p USING (product_id) WHERE c.customer_id = 8 GROUP BY p.title, c.customer_id, c.name ORDER BY n DESC LIMIT 3;
-- known charged 2: a grouped result without the key is charged by rows

-- shows 1: timeline of one customer, orders, tickets and calls
SELECT ordered_at AS at, 'order' AS what, ship_name AS detail FROM orders WHERE customer_id = 30
UNION ALL SELECT opened_at, 'ticket', subject FROM tickets WHERE customer_id = 30
UNION ALL SELECT started_at, 'call', note FROM call_logs WHERE customer_id = 30 ORDER BY at DESC LIMIT 20;
-- known charged 4: a UNION without the key in it is charged by rows; with it (below) exactly

-- shows 1: timeline with the key in it
SELECT customer_id, ordered_at AS at, 'order' AS what, ship_name AS detail FROM orders WHERE customer_id = 30
UNION ALL SELECT customer_id, opened_at, 'ticket', subject FROM tickets WHERE customer_id = 30 ORDER BY 2;

-- shows 1: the whole customer as one JSON document
SELECT jsonb_build_object('name', c.name, 'orders', (SELECT jsonb_agg(o.order_id ORDER BY o.order_id) FROM orders o WHERE o.customer_id = c.customer_id)) FROM customers c WHERE c.customer_id = 8;

-- shows 1: the same as row_to_json
SELECT row_to_json(c) FROM customers c WHERE c.customer_id = 8;

-- shows 1: all contacts in one cell, grouped by the customer
SELECT c.customer_id, c.name, string_agg(k.value, ', ' ORDER BY k.contact_id) FROM customers c JOIN contacts k USING (customer_id) WHERE c.customer_id = 8 GROUP BY c.customer_id, c.name;

-- shows 1: first name found for a telephone number, as a scalar
SELECT (SELECT name FROM customers WHERE phone = '090-0000-0009' LIMIT 1) AS caller;
