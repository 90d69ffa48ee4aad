-- SPDX-License-Identifier: Apache-2.0
-- What managers ask for: counts and sums over columns that are nobody's.

-- free: how many customers
SELECT count(*) FROM customers;

-- free: customers by rank
SELECT rank, count(*) FROM customers GROUP BY rank ORDER BY rank;

-- free: customers by store and state
SELECT s.name, c.status, count(*) FROM customers c JOIN stores s USING (store_id) GROUP BY 1, 2 ORDER BY 1, 2;

-- free: orders and sales by month
SELECT date_trunc('month', ordered_at) AS month, count(*), sum(total) FROM orders GROUP BY 1 ORDER BY 1;

-- free: by month and store, with subtotals
SELECT date_trunc('month', ordered_at) AS month, store_id, count(*), sum(total) FROM orders GROUP BY ROLLUP (1, 2) ORDER BY 1, 2;

-- free: cube of store and state
SELECT store_id, status, count(*), grouping(store_id, status) FROM orders GROUP BY CUBE (store_id, status);

-- free: grouping sets
SELECT region, prefecture, sum(total) FROM orders JOIN stores USING (store_id) GROUP BY GROUPING SETS ((region), (region, prefecture), ());

-- free: top ten products
SELECT p.title, sum(i.quantity) AS pieces, sum(i.quantity * i.price) AS amount FROM order_items i JOIN products p USING (product_id) GROUP BY p.product_id, p.title ORDER BY amount DESC LIMIT 10;

-- free: top three products of each store
SELECT * FROM (SELECT o.store_id, p.title, sum(i.quantity) AS n, rank() OVER (PARTITION BY o.store_id ORDER BY sum(i.quantity) DESC) AS place FROM orders o JOIN order_items i USING (order_id) JOIN products p USING (product_id) GROUP BY 1, 2) x WHERE place <= 3 ORDER BY store_id, place;

-- free: sales view
SELECT month, sum(pieces), sum(amount) FROM v_sales GROUP BY month ORDER BY month;

-- free: daily sales, from the materialized view
SELECT day, sum(orders), sum(amount) FROM daily_sales WHERE day >= '2026-05-01' GROUP BY day ORDER BY day;

-- free: moving average
SELECT day, avg(amount) OVER (ORDER BY day ROWS BETWEEN 6 PRECEDING AND CURRENT ROW) FROM daily_sales WHERE store_id = 1;

-- free: growth against the month before
WITH m AS (SELECT date_trunc('month', ordered_at) AS month, sum(total) AS amount FROM orders GROUP BY 1) SELECT month, amount, amount - lag(amount) OVER (ORDER BY month) AS growth, round(100 * amount / nullif(lag(amount) OVER (ORDER BY month), 0), 1) AS percent FROM m ORDER BY month;

-- free: running total
SELECT ordered_at::date AS day, sum(sum(total)) OVER (ORDER BY ordered_at::date) FROM orders GROUP BY 1 ORDER BY 1;

-- free: share of each store
SELECT store_id, sum(total), round(100.0 * sum(total) / sum(sum(total)) OVER (), 2) AS share FROM orders GROUP BY store_id ORDER BY 2 DESC;

-- free: median and quartiles of order values
SELECT percentile_cont(ARRAY[0.25, 0.5, 0.75]) WITHIN GROUP (ORDER BY total), avg(total), stddev(total) FROM orders;

-- free: histogram of order values
SELECT width_bucket(total, 0, 10000, 10) AS bucket, count(*) FROM orders GROUP BY 1 ORDER BY 1;

-- free: by weekday and hour
SELECT extract(isodow FROM ordered_at) AS weekday, extract(hour FROM ordered_at) AS hour, count(*) FROM orders GROUP BY 1, 2 ORDER BY 1, 2;

-- free: pivot with FILTER
SELECT store_id, count(*) FILTER (WHERE status = 'done') AS done, count(*) FILTER (WHERE status = 'cancelled') AS cancelled FROM orders GROUP BY store_id ORDER BY store_id;

-- free: how many different customers ordered in each month
SELECT date_trunc('month', ordered_at) AS month, count(DISTINCT customer_id) FROM orders GROUP BY 1 ORDER BY 1;

-- free: how many customers have ordered at all
SELECT count(*) FROM customers c WHERE EXISTS (SELECT FROM orders o WHERE o.customer_id = c.customer_id);

-- free: how many have never ordered
SELECT count(*) FROM customers c WHERE NOT EXISTS (SELECT FROM orders o WHERE o.customer_id = c.customer_id);

-- free: orders per customer, as a distribution
SELECT n, count(*) FROM (SELECT customer_id, count(*) AS n FROM orders GROUP BY customer_id) x GROUP BY n ORDER BY n;

-- free: average number of orders and value per rank
SELECT c.rank, count(o.order_id)::numeric / count(DISTINCT c.customer_id) AS orders, avg(o.total) FROM customers c LEFT JOIN orders o USING (customer_id) GROUP BY c.rank ORDER BY c.rank;

-- free: cohorts by month of registration and of order
SELECT date_trunc('month', c.created_at) AS since, date_trunc('month', o.ordered_at) AS month, count(DISTINCT o.customer_id) FROM customers c JOIN orders o USING (customer_id) GROUP BY 1, 2 ORDER BY 1, 2;

-- free: repeat rate
SELECT round(100.0 * count(*) FILTER (WHERE n > 1) / count(*), 1) FROM (SELECT count(*) AS n FROM orders GROUP BY customer_id) x;

-- free: tickets by state and priority
SELECT state, priority, count(*) FROM tickets GROUP BY 1, 2 ORDER BY 1, 2;

-- free: mean time to close
SELECT date_trunc('month', opened_at) AS month, avg(closed_at - opened_at), max(closed_at - opened_at) FROM tickets WHERE closed_at IS NOT NULL GROUP BY 1 ORDER BY 1;

-- free: calls by hour and result
SELECT extract(hour FROM started_at) AS hour, result, count(*), avg(seconds)::int FROM call_logs GROUP BY 1, 2 ORDER BY 1, 2;

-- free: calls per staff number
SELECT staff_id, count(*), sum(seconds) / 60 AS minutes FROM call_logs GROUP BY staff_id ORDER BY 2 DESC;

-- shows 24: calls per colleague by name
SELECT s.staff_id, s.name, count(*) FROM call_logs l JOIN staff s USING (staff_id) GROUP BY s.staff_id, s.name ORDER BY 3 DESC;

-- free: campaigns: how many were reached
SELECT k.title, count(*), count(t.sent_at) AS sent FROM campaigns k LEFT JOIN campaign_targets t USING (campaign_id) GROUP BY k.campaign_id, k.title ORDER BY 1;

-- hint 30: campaigns: how many opened the mail (opened_at is personal)
SELECT campaign_id, count(*) AS sent, count(opened_at) AS opened FROM campaign_targets GROUP BY campaign_id ORDER BY 1;

-- free: sales per campaign
SELECT k.title, count(o.order_id), coalesce(sum(o.total), 0) FROM campaigns k LEFT JOIN orders o USING (campaign_id) GROUP BY k.title ORDER BY 3 DESC;

-- free: unsold products
SELECT p.sku, p.title FROM products p LEFT JOIN order_items i USING (product_id) WHERE i.order_id IS NULL ORDER BY 1;

-- free: stock below the quantity sold
SELECT p.sku, p.stock, sum(i.quantity) FROM products p JOIN order_items i USING (product_id) GROUP BY p.product_id, p.sku, p.stock HAVING p.stock < sum(i.quantity) ORDER BY 3 DESC;

-- free: products bought together
SELECT a.product_id, b.product_id, count(*) FROM order_items a JOIN order_items b ON a.order_id = b.order_id AND a.product_id < b.product_id GROUP BY 1, 2 ORDER BY 3 DESC LIMIT 10;

-- free: categories as a tree
WITH RECURSIVE t AS (SELECT category_id, title, 1 AS level FROM categories WHERE parent_id IS NULL UNION ALL SELECT c.category_id, c.title, t.level + 1 FROM categories c JOIN t ON c.parent_id = t.category_id) SELECT * FROM t ORDER BY level, category_id;

-- free: calendar with the days without orders
SELECT d::date, count(o.order_id) FROM generate_series('2026-01-01'::date, '2026-01-31', '1 day') d LEFT JOIN orders o ON o.ordered_at::date = d::date GROUP BY d ORDER BY d;

-- free: in foreign currency
SELECT date_trunc('month', d.day) AS month, sum(d.amount / r.rate) FROM daily_sales d JOIN exchange_rates r ON r.day = d.day AND r.currency = 'USD' GROUP BY 1 ORDER BY 1;

-- free: sales with tax, by a function of our own
SELECT sum(with_tax(total)) FROM orders WHERE status = 'done';

-- free: payments by method
SELECT method, count(*), sum(amount) FROM payments GROUP BY method ORDER BY 2 DESC;

-- free: paid against ordered
SELECT o.store_id, sum(o.total) AS ordered, sum(p.amount) AS paid FROM orders o LEFT JOIN payments p USING (order_id) GROUP BY o.store_id ORDER BY 1;

-- free: orders without payment
SELECT count(*) FROM orders o LEFT JOIN payments p USING (order_id) WHERE p.payment_id IS NULL;

-- hint 60: customers by prefecture (personal here) — counts of groups
SELECT prefecture, count(*) FROM customers GROUP BY prefecture ORDER BY 2 DESC;

-- hint 80: by ten-year age band
SELECT age_band(birth_date) AS band, count(*) FROM customers GROUP BY 1 ORDER BY 1;

-- hint 6: how many are over 65
SELECT count(*) FROM customers WHERE birth_date < '1961-07-01';

-- hint 20: by sex
SELECT sex, count(*) FROM customers GROUP BY sex;

-- hint 40: average age
SELECT avg(age('2026-07-01'::date, birth_date)) FROM customers;

-- hint 8: how many have no e-mail
SELECT count(*) FROM customers WHERE email IS NULL;

-- hint 30: how many consents of each kind are given
SELECT purpose, count(*) FILTER (WHERE granted) FROM consents GROUP BY purpose ORDER BY purpose;

-- free: how many consents of each kind there are
SELECT purpose, count(*) FROM consents GROUP BY purpose ORDER BY purpose;

-- free: when consents changed
SELECT date_trunc('week', changed_at) AS week, count(*) FROM consents GROUP BY 1 ORDER BY 1;

-- shows 10: the ten best customers by turnover, with names
SELECT c.customer_id, c.name, sum(o.total) AS spent FROM customers c JOIN orders o USING (customer_id) GROUP BY c.customer_id, c.name ORDER BY spent DESC LIMIT 10;

-- shows 10: the ten best customers by turnover, numbers only
SELECT customer_id, sum(total) AS spent FROM orders GROUP BY customer_id ORDER BY spent DESC LIMIT 10;

-- free: turnover of the ten best customers, without saying who
SELECT sum(total) AS spent FROM orders GROUP BY customer_id ORDER BY spent DESC LIMIT 10;

-- shows 6: customers of store 3 with gold rank or better, for a letter
SELECT customer_id, name, postal_code, prefecture, address FROM customers WHERE store_id = 3 AND rank >= 'gold' ORDER BY customer_id;

-- shows 6: the same customers without their key
SELECT name, postal_code, prefecture, address FROM customers WHERE store_id = 3 AND rank >= 'gold' ORDER BY customer_id;

-- shows 6: last order of each of them
SELECT DISTINCT ON (c.customer_id) c.customer_id, c.name, o.ordered_at FROM customers c JOIN orders o USING (customer_id) WHERE c.store_id = 3 AND c.rank >= 'gold' ORDER BY c.customer_id, o.ordered_at DESC;

-- shows 6: last order of each of them, by LATERAL
SELECT c.customer_id, c.name, o.ordered_at FROM customers c CROSS JOIN LATERAL (SELECT ordered_at FROM orders o WHERE o.customer_id = c.customer_id ORDER BY ordered_at DESC LIMIT 1) o WHERE c.store_id = 3 AND c.rank >= 'gold';

-- free: the months for a drop-down list
SELECT DISTINCT to_char(ordered_at, 'YYYY-MM') AS month FROM orders ORDER BY 1;

-- free: first and last order
SELECT min(ordered_at), max(ordered_at) FROM orders;

-- free: newest orders, without whose they are
SELECT order_id, ordered_at, status, total FROM orders ORDER BY ordered_at DESC LIMIT 50;

-- free: page 4 of all orders of a month
SELECT order_id, ordered_at, status, total FROM orders WHERE ordered_at >= '2026-03-01' AND ordered_at < '2026-04-01' ORDER BY ordered_at, order_id LIMIT 25 OFFSET 75;

-- free: with the number of pages
SELECT order_id, total, count(*) OVER () AS all_rows FROM orders WHERE store_id = 1 ORDER BY order_id LIMIT 25;

-- free: active customers a day (registrations)
SELECT created_at::date AS day, count(*) AS new FROM customers GROUP BY 1 ORDER BY 1 DESC LIMIT 30;

-- free: points outstanding by rank
SELECT rank, sum(points), max(points) FROM customers GROUP BY rank ORDER BY rank;

-- free: string of the statuses
SELECT string_agg(DISTINCT status, ', ' ORDER BY status) FROM orders;

-- free: report as JSON
SELECT json_agg(x) FROM (SELECT store_id, count(*) AS n FROM orders GROUP BY store_id ORDER BY 1) x;

-- free: report as CSV by psql's \copy
COPY (SELECT store_id, count(*), sum(total) FROM orders GROUP BY store_id ORDER BY 1) TO STDOUT (FORMAT csv, HEADER);

-- free: compare two periods
SELECT a.store_id, a.n AS april, b.n AS may FROM (SELECT store_id, count(*) n FROM orders WHERE ordered_at >= '2026-04-01' AND ordered_at < '2026-05-01' GROUP BY 1) a FULL JOIN (SELECT store_id, count(*) n FROM orders WHERE ordered_at >= '2026-05-01' AND ordered_at < '2026-06-01' GROUP BY 1) b USING (store_id);

-- free: stores above the average
SELECT store_id, sum(total) FROM orders GROUP BY store_id HAVING sum(total) > (SELECT avg(s) FROM (SELECT sum(total) AS s FROM orders GROUP BY store_id) x);

-- free: union of two lists of products
SELECT sku FROM products WHERE stock = 0 UNION SELECT sku FROM products WHERE discontinued EXCEPT SELECT 'SKU-0013' ORDER BY 1;

-- free: with VALUES as bands
SELECT b.name, count(o.order_id) FROM (VALUES ('small', 0, 2000), ('middle', 2000, 5000), ('large', 5000, 1000000)) b (name, low, high) LEFT JOIN orders o ON o.total >= b.low AND o.total < b.high GROUP BY b.name;

-- free: sessions that are open
SELECT count(*) FROM web_sessions WHERE expires_at > '2026-06-04';

-- free: changes a day by kind
SELECT at::date, table_name, action, count(*) FROM audit_log GROUP BY 1, 2, 3 ORDER BY 1;

-- free: correlation of points and orders
SELECT corr(c.points, x.n) FROM customers c JOIN (SELECT customer_id, count(*) AS n FROM orders GROUP BY customer_id) x USING (customer_id);

-- free: rfm classes, only how many are in each
SELECT r, f, count(*) FROM (SELECT ntile(3) OVER (ORDER BY max(ordered_at)) AS r, ntile(3) OVER (ORDER BY count(*)) AS f FROM orders GROUP BY customer_id) x GROUP BY r, f ORDER BY r, f;
