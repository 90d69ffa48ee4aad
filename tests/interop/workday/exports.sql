-- SPDX-License-Identifier: Apache-2.0
-- Whole tables out, and in.

-- free: an open table, text
COPY products TO STDOUT;

-- free: an open table, CSV with a header
COPY stores TO STDOUT WITH (FORMAT csv, HEADER true);

-- free: the old spelling
COPY categories TO STDOUT CSV HEADER;

-- free: chosen columns
COPY products (sku, title, price) TO STDOUT (FORMAT csv, DELIMITER ';');

-- free: binary
COPY order_items TO STDOUT (FORMAT binary);

-- free: a query
COPY (SELECT sku, stock FROM products WHERE stock < 5 ORDER BY sku) TO STDOUT (FORMAT csv);

-- free: open columns of a table of people
COPY (SELECT order_id, store_id, ordered_at, status, total FROM orders WHERE ordered_at >= '2026-03-01' AND ordered_at < '2026-04-01') TO STDOUT (FORMAT csv, HEADER);

-- free: open columns of a partition
COPY (SELECT order_id, total FROM orders_2026_02) TO STDOUT;

-- free: the materialized view
COPY (TABLE daily_sales) TO STDOUT (FORMAT csv);

-- shows 24: the staff list
COPY staff TO STDOUT (FORMAT csv, HEADER);

-- shows 100: an agreed mailing: a hundred addresses
COPY (SELECT customer_id, name, postal_code, prefecture, address FROM customers WHERE customer_id BETWEEN 201 AND 300) TO STDOUT (FORMAT csv, HEADER);

-- shows 100: the same without the key
COPY (SELECT name, postal_code, prefecture, address FROM customers WHERE customer_id BETWEEN 201 AND 300) TO STDOUT (FORMAT csv);

-- shows 100: mail addresses, with a cursor in portions
BEGIN;
DECLARE m NO SCROLL CURSOR FOR SELECT email FROM customers WHERE customer_id BETWEEN 201 AND 300 ORDER BY customer_id;
FETCH FORWARD 50 FROM m;
FETCH FORWARD 50 FROM m;
FETCH FORWARD 50 FROM m;
COMMIT;

-- free: price list from the head office
COPY exchange_rates (day, currency, rate) FROM STDIN;
-- data: 2026-07-01\tEUR\t165.2
-- data: 2026-07-02\tEUR\t165.9

-- free: products as CSV from the head office
COPY products (sku, title, price) FROM STDIN (FORMAT csv);
-- data: SKU-0070,Bench,900
-- data: SKU-0071,Stool,400

-- free: new customers from a campaign's form
COPY customers (customer_no, name, phone, email) FROM STDIN (FORMAT csv);
-- data: C910001,申込 一,080-1111-0001,f1@mail.example
-- data: C910002,申込 二,080-1111-0002,f2@mail.example

-- free: into a temporary table, then checked
CREATE TEMP TABLE incoming (sku text, price numeric);
COPY incoming FROM STDIN;
SELECT 1;
-- data: SKU-0001\t140

-- free: what is in a temporary table of open data (uncovered: the gate cannot know)
CREATE TEMP TABLE t AS SELECT sku, price FROM products LIMIT 3;
SELECT count(*) FROM t;
-- known charged 3: the gate does not follow what a temporary table was made of: what the catalogue does not name is charged by bytes

-- free: rows of a temporary table that was made from open data
CREATE TEMP TABLE t2 AS SELECT sku FROM products ORDER BY sku LIMIT 3;
SELECT sku FROM t2;
-- known charged 30: as above

-- free: rows of an uncovered table, how many
SELECT count(*) FROM import_2019;
-- known charged 4: nobody has said what is in it, not even whose rows they are
