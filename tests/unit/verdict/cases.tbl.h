/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CASE(sql, expected) and TREE(name, sql, expected), which is kept as a file too.
 * expected is support_render() and [support_tables()]: class, w= weight of each
 * column (* is opaque), r= row weight, k= where the keys are, flags, what was read.
 */

/* L3 plain: what is proven free */
CASE("SELECT 1, 'x', now()",
    "free w=0,0,0 []")
TREE("free_count", "SELECT count(*) FROM customers",
    "free w=0 touch []")
CASE("SELECT country, created_at FROM customers",
    "free w=0,0 touch []")
CASE("SELECT xmin, ctid, tableoid FROM customers",
    "free w=0,0,0 touch []")
CASE("SELECT country, count(*) FROM customers GROUP BY country HAVING count(*) > 3 "
    "ORDER BY 2 DESC LIMIT 10",
    "free w=0,0 touch []")
CASE("SELECT date_trunc('month', created_at), count(*) FROM customers GROUP BY 1 "
    "ORDER BY 1",
    "free w=0,0 touch []")
TREE("free_join", "SELECT product, sum(total) FROM orders JOIN customers USING (customer_id) "
    "JOIN products USING (product_id) GROUP BY 1",
    "free w=0,0 touch [public.customers(customer_id)]")
CASE("SELECT product, avg(price) OVER (PARTITION BY product) FROM products",
    "free w=0,0 []")
CASE("SELECT o.order_id, o.customer_id FROM orders o JOIN customers c ON "
    "c.customer_id = o.customer_id WHERE c.country = 'jp'",
    "free w=0,0 touch [public.customers(customer_id)]")
CASE("SELECT count(*) FROM customers WHERE customer_id = 5",
    "free w=0 touch [public.customers(customer_id)]")
CASE("SELECT count(customer_id), count(DISTINCT customer_id) FROM customers",
    "free w=0,0 touch [public.customers(customer_id)]")
CASE("SELECT product FROM products WHERE product_id IN (SELECT product_id FROM "
    "orders o JOIN customers c USING (customer_id) WHERE c.country = 'jp')",
    "free w=0 touch [public.customers(customer_id)]")
CASE("SELECT * FROM v_country",
    "free w=0,0 touch []")
CASE("SELECT count(*) FROM v_sorted",
    "free w=0 touch [public.customers(name)]")
CASE("SELECT line FROM open_log_2026",
    "free w=0 []")
CASE("SELECT last_value FROM orders_order_id_seq",
    "free w=0 []")
CASE("SELECT EXISTS (SELECT 1 FROM customers WHERE customer_id = 3)",
    "free w=0 touch [public.customers(customer_id)]")
CASE("SELECT max(created_at) FROM customers WHERE customer_id < 100",
    "free w=0 touch [public.customers(customer_id)]")
CASE("WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t WHERE n < 5) "
    "SELECT * FROM t",
    "free w=0 []")
CASE("VALUES (1, 'a'), (2, 'b')",
    "free w=0,0 []")
CASE("SELECT current_user, current_setting('search_path'), version(), "
    "pg_backend_pid()",
    "free w=0,0,0,0 []")
CASE("SELECT c.country, o.n FROM customers c LEFT JOIN LATERAL (SELECT count(*) AS "
    "n FROM orders o WHERE o.customer_id = c.customer_id) o ON true",
    "free w=0,0 touch [public.customers(customer_id)]")
CASE("SELECT country, row_number() OVER (PARTITION BY country ORDER BY customer_id) "
    "FROM customers",
    "free w=0,0 touch [public.customers(customer_id)]")
CASE("SELECT grouping(country), country, count(*) FROM customers GROUP BY ROLLUP "
    "(country)",
    "free w=0,0,0 touch []")
CASE("SELECT $1::int + 1, $2::text",
    "free w=0,0 []")
CASE("SELECT open_doc ->> 'a' FROM typed",
    "free w=0 touch []")
CASE("SELECT code, twice FROM tagged",
    "free w=0,0 touch []")

/* L3 key: every row names its subject */
TREE("key", "SELECT name FROM customers",
    "key w=1 r=1 k=+\"customers\".\"customer_id\" touch [public.customers(name)]")
CASE("SELECT customer_id FROM customers",
    "key w=1 r=1 k=0 touch [public.customers(customer_id)]")
TREE("key_column", "SELECT customer_id, name FROM customers",
    "key w=1,1 r=1 k=0 touch [public.customers(customer_id,name)]")
CASE("SELECT name, customer_id FROM customers",
    "key w=1,1 r=1 k=1 touch [public.customers(customer_id,name)]")
CASE("SELECT * FROM customers WHERE phone = '1'",
    "key w=1,1,1,1,1,1,1,1,1,0,0,0 r=1 k=0 touch "
    "[public.customers(customer_id,name,kana,birth_date,sex,postal_code,address,phone,email)]")
CASE("TABLE customers",
    "key w=1,1,1,1,1,1,1,1,1,0,0,0 r=1 k=0 touch "
    "[public.customers(customer_id,name,kana,birth_date,sex,postal_code,address,phone,email)]")
CASE("SELECT upper(name) || phone AS x FROM customers c",
    "key w=1 r=1 k=+\"c\".\"customer_id\" touch [public.customers(name,phone)]")
TREE("key_whole_row", "SELECT c FROM customers c",
    "key w=1 r=1 k=+\"c\".\"customer_id\" touch "
    "[public.customers(customer_id,name,kana,birth_date,sex,postal_code,address,phone,email)]")
CASE("SELECT (c).name FROM customers c",
    "key w=1 r=1 k=+\"c\".\"customer_id\" touch [public.customers(name)]")
CASE("SELECT (c).customer_id FROM customers c",
    "key w=1 r=1 k=0 touch [public.customers(customer_id)]")
CASE("SELECT row_to_json(c) FROM customers c",
    "key w=1 r=1 k=+\"c\".\"customer_id\" touch "
    "[public.customers(customer_id,name,kana,birth_date,sex,postal_code,address,phone,email)]")
CASE("SELECT ROW(c.name, c.country) FROM customers c",
    "key w=1 r=1 k=+\"c\".\"customer_id\" touch [public.customers(name)]")
CASE("SELECT name IS NULL FROM customers",
    "key w=1 r=1 k=+\"customers\".\"customer_id\" touch [public.customers(name)]")
CASE("SELECT md5(name), reverse(name), encode(convert_to(name, 'UTF8'), 'base64') "
    "FROM customers",
    "key w=1,1,1 r=1 k=+\"customers\".\"customer_id\" touch [public.customers(name)]")
CASE("SELECT CASE WHEN sex = 'f' THEN 'x' ELSE country END FROM customers",
    "key w=1 r=1 k=+\"customers\".\"customer_id\" touch [public.customers(sex)]")
TREE("key_expressions", "SELECT coalesce(name, kana), nullif(name, 'a'), greatest(name, kana), name = "
    "ANY (ARRAY['a', 'b']) FROM customers",
    "key w=1,1,1,1 r=1 k=+\"customers\".\"customer_id\" touch "
    "[public.customers(name,kana)]")
CASE("SELECT ARRAY[name, kana], (ARRAY[name, kana])[1], name COLLATE \"C\" FROM "
    "customers",
    "key w=1,1,1 r=1 k=+\"customers\".\"customer_id\" touch "
    "[public.customers(name,kana)]")
CASE("SELECT extract(year FROM birth_date), birth_date + 1, age(birth_date) FROM "
    "customers",
    "key w=1,1,1 r=1 k=+\"customers\".\"customer_id\" touch "
    "[public.customers(birth_date)]")
CASE("SELECT xmlelement(name n, name), xmlforest(name) FROM customers",
    "key w=1,1 r=1 k=+\"customers\".\"customer_id\" touch [public.customers(name)]")
CASE("SELECT country FROM customers WHERE name LIKE 'a%'",
    "key w=0 r=1 k=+\"customers\".\"customer_id\" touch [public.customers(name)]")
CASE("SELECT country FROM customers ORDER BY name",
    "key w=0 r=1 k=+\"customers\".\"customer_id\" touch [public.customers(name)]")
CASE("SELECT country FROM customers ORDER BY name LIMIT 10",
    "key w=0 r=1 k=+\"customers\".\"customer_id\" touch [public.customers(name)]")
CASE("SELECT country FROM customers ORDER BY name FETCH FIRST 3 ROWS WITH TIES",
    "key w=0 r=1 k=+\"customers\".\"customer_id\" touch [public.customers(name)]")
CASE("SELECT name FROM customers ORDER BY name LIMIT 10 OFFSET 0",
    "key w=1 r=1 k=+\"customers\".\"customer_id\" touch exact [public.customers(name)]")
CASE("SELECT name FROM customers ORDER BY customer_id LIMIT 10 OFFSET 20",
    "key w=1 r=1 k=+\"customers\".\"customer_id\" touch "
    "[public.customers(customer_id,name)]")
CASE("SELECT name FROM customers TABLESAMPLE BERNOULLI (10) REPEATABLE (1)",
    "key w=1 r=1 k=+\"customers\".\"customer_id\" touch [public.customers(name)]")
CASE("SELECT name FROM customers FOR UPDATE",
    "key w=1 r=1 k=+\"customers\".\"customer_id\" touch [public.customers(name)]")
CASE("SELECT name FROM ONLY customers",
    "key w=1 r=1 k=+\"customers\".\"customer_id\" touch [public.customers(name)]")
CASE("SELECT customer_id % 2 AS customer_id, name FROM customers",
    "key w=1,1 r=1 k=+\"customers\".\"customer_id\" touch "
    "[public.customers(customer_id,name)]")
CASE("SELECT 7 AS customer_id, name FROM customers",
    "key w=0,1 r=1 k=+\"customers\".\"customer_id\" touch [public.customers(name)]")
CASE("SELECT customer_id, name FROM (SELECT 7 AS customer_id, name FROM customers) "
    "customers",
    "rows w=0,1 r=1 touch [public.customers(name)]")
CASE("SELECT a FROM (SELECT b AS a, customer_id FROM (SELECT name AS b, customer_id "
    "FROM customers) x) y",
    "key w=1 r=1 k=+\"y\".\"customer_id\" touch [public.customers(name)]")
TREE("key_view", "SELECT em FROM v_cust2 v WHERE name LIKE 'a%'",
    "key w=1 r=1 k=+\"v\".\"customer_id\" touch [public.customers(name,email)]")
CASE("SELECT customer_id::text, name FROM customers",
    "key w=1,1 r=1 k=+\"customers\".\"customer_id\" touch "
    "[public.customers(customer_id,name)]")
CASE("SELECT login::varchar, full_name FROM staff",
    "key w=1,1 r=1 k=0@1 touch [public.staff(login,full_name)]")
CASE("SELECT n FROM customers c(i, n)",
    "key w=1 r=1 k=+\"c\".\"i\" touch [public.customers(name)]")
CASE("SELECT c.\"name\" FROM customers \"c x\" JOIN customers c ON c.customer_id = \"c "
    "x\".customer_id",
    "key w=1 r=1 k=+\"c x\".\"customer_id\" touch [public.customers(customer_id,name)]")
CASE("SELECT \"Na\"\"me\" FROM \"Odd Table\"",
    "key w=1 r=1 k=+\"Odd Table\".\"Key Col\"@4 touch [public.Odd Table(Na\"me)]")
CASE("SELECT o.total, c.name FROM orders o JOIN customers c USING (customer_id)",
    "key w=0,1 r=1 k=+\"o\".\"customer_id\" touch [public.customers(customer_id,name)]")
TREE("key_left_join", "SELECT o.order_id, c.name FROM orders o LEFT JOIN customers c ON "
    "c.customer_id = o.customer_id",
    "key w=0,1 r=1 k=+\"c\".\"customer_id\" touch [public.customers(customer_id,name)]")
CASE("SELECT o.order_id, c.name FROM customers c RIGHT JOIN orders o ON "
    "c.customer_id = o.customer_id",
    "key w=0,1 r=1 k=+\"c\".\"customer_id\" touch [public.customers(customer_id,name)]")
CASE("SELECT product_id FROM orders JOIN customers USING (customer_id) WHERE phone "
    "LIKE '090%'",
    "key w=0 r=1 k=+\"orders\".\"customer_id\" touch "
    "[public.customers(customer_id,phone)]")
TREE("key_two", "SELECT a.name, b.name FROM customers a JOIN customers b ON b.customer_id = "
    "a.customer_id + 500",
    "key w=1,1 r=2 k=+\"a\".\"customer_id\";+\"b\".\"customer_id\" touch "
    "[public.customers(customer_id,name)]")
CASE("SELECT a.name, b.name FROM customers a, customers b WHERE a.customer_id = "
    "b.customer_id",
    "key w=1,1 r=1 k=+\"a\".\"customer_id\" touch [public.customers(customer_id,name)]")
CASE("SELECT s.full_name, c.name FROM staff s JOIN customers c ON c.name = "
    "s.full_name",
    "key w=1,1 r=2 k=+\"s\".\"login\"@1;+\"c\".\"customer_id\" touch "
    "[public.customers(name) public.staff(full_name)]")
CASE("SELECT s.full_name FROM staff s, customers c WHERE c.customer_id::text = "
    "s.login",
    "key w=1 r=1 k=+\"s\".\"login\"@1 touch [public.customers(customer_id) "
    "public.staff(login,full_name)]")
CASE("SELECT j.key, j.value FROM customers c, jsonb_each_text(to_jsonb(c)) j",
    "key w=1,1 r=1 k=+\"c\".\"customer_id\" touch "
    "[public.customers(customer_id,name,kana,birth_date,sex,postal_code,address,phone,email)]")
CASE("SELECT c.customer_id, t FROM customers c, regexp_split_to_table(name, '') t",
    "key w=1,1 r=1 k=0 touch [public.customers(customer_id,name)]")
CASE("SELECT g, substr(name, g, 1) FROM customers, generate_series(1, length(name)) "
    "g",
    "key w=1,1 r=1 k=+\"customers\".\"customer_id\" touch [public.customers(name)]")
CASE("SELECT unnest(string_to_array(name, ' ')) FROM customers",
    "key w=1 r=1 k=+\"customers\".\"customer_id\" touch [public.customers(name)]")
CASE("SELECT x.name FROM orders o, LATERAL (SELECT name, customer_id FROM customers "
    "c WHERE c.customer_id = o.customer_id) x",
    "key w=1 r=1 k=+\"x\".\"customer_id\" touch [public.customers(customer_id,name)]")
CASE("WITH a AS MATERIALIZED (SELECT * FROM customers) SELECT name FROM a",
    "key w=1 r=1 k=+\"a\".\"customer_id\" touch [public.customers(name)]")
TREE("key_cte", "WITH a AS (SELECT * FROM customers) SELECT x.name, y.name FROM a x, a y",
    "key w=1,1 r=2 k=+\"x\".\"customer_id\";+\"y\".\"customer_id\" touch "
    "[public.customers(name)]")
CASE("SELECT DISTINCT customer_id, name FROM customers",
    "key w=1,1 r=1 k=0 touch [public.customers(customer_id,name)]")
TREE("key_group", "SELECT customer_id, string_agg(body, ','), count(*) FILTER (WHERE body LIKE "
    "'x%') FROM complaints GROUP BY customer_id HAVING max(body) > 'a'",
    "key w=1,1,1 r=1 k=0 touch [public.complaints(customer_id,body)]")
CASE("SELECT DISTINCT ON (customer_id) customer_id, body FROM complaints ORDER BY "
    "customer_id, body",
    "key w=1,1 r=1 k=0 touch [public.complaints(customer_id,body)]")
CASE("SELECT customer_id, body, row_number() OVER (PARTITION BY customer_id ORDER "
    "BY body) FROM complaints",
    "key w=1,1,1 r=1 k=0 touch [public.complaints(customer_id,body)]")
TREE("key_union_all", "SELECT * FROM v_all",
    "key w=1,1 r=1 k=0 touch [public.customers(customer_id,name) "
    "public.complaints(customer_id,body)]")
CASE("SELECT name FROM v_all",
    "key w=1 r=1 k=+\"v_all\".\"customer_id\" touch [public.customers(name) "
    "public.complaints(body)]")
CASE("SELECT customer_id, name FROM customers UNION SELECT customer_id, body FROM "
    "complaints",
    "key w=1,1 r=1 k=0 touch [public.customers(customer_id,name) "
    "public.complaints(customer_id,body)]")
CASE("SELECT j.name, v.t FROM customers j, (VALUES (1, 'a'), (2, 'b')) v(i, t)",
    "key w=1,0 r=1 k=+\"j\".\"customer_id\" touch [public.customers(name)]")
CASE("SELECT name FROM parts",
    "key w=1 r=1 k=+\"parts\".\"customer_id\"@5 touch [public.parts(name)]")
CASE("SELECT name FROM parts_jp",
    "key w=1 r=1 k=+\"parts_jp\".\"customer_id\"@5 touch [public.parts_jp(name)]")
CASE("SELECT label FROM personal_child",
    "key w=1 r=1 k=+\"personal_child\".\"customer_id\"@7 touch "
    "[public.personal_child(label)]")
CASE("SELECT shout FROM tagged",
    "key w=1 r=1 k=+\"tagged\".\"customer_id\"@2 touch [public.tagged(shout)]")
TREE("key_types", "SELECT phone, m, p, (p).b, tags[1], doc ->> 'x', lower(during) FROM typed",
    "key w=1,1,1,1,1,1,1 r=1 k=+\"typed\".\"customer_id\"@8 touch "
    "[public.typed(phone,m,p,tags,doc,during)]")
CASE("SELECT place FROM visits",
    "key w=1 r=1 k=+\"visits\".\"customer_id\"? touch [public.visits(place)]")
CASE("SELECT x.name FROM (customers c JOIN orders o USING (customer_id)) AS x",
    "key w=1 r=1 k=+\"x\".\"customer_id\" touch [public.customers(customer_id,name)]")
CASE("SELECT x.name FROM customers c JOIN orders o USING (customer_id) AS u, "
    "LATERAL (SELECT c.name, o.total) x",
    "key w=1 r=1 k=+\"c\".\"customer_id\" touch [public.customers(customer_id,name)]")
CASE("SELECT name FROM customers UNION ALL SELECT name FROM customers WHERE false",
    "rows w=1 r=1 touch [public.customers(name)]")

/* L3 key: conditions on other rows of the same subject */
CASE("SELECT c.name, k.body FROM customers c JOIN complaints k USING (customer_id)",
    "key w=1,1 r=1 k=+\"c\".\"customer_id\" touch [public.customers(customer_id,name) "
    "public.complaints(customer_id,body)]")
CASE("SELECT c.name, k.body FROM customers c LEFT JOIN complaints k ON "
    "k.customer_id = c.customer_id AND k.body LIKE 'x%'",
    "key w=1,1 r=1 k=+\"c\".\"customer_id\" touch [public.complaints(customer_id,body) "
    "public.customers(customer_id,name)]")
CASE("SELECT c.name FROM customers c WHERE EXISTS (SELECT 1 FROM complaints k WHERE "
    "k.customer_id = c.customer_id AND k.body LIKE '%x%')",
    "key w=1 r=1 k=+\"c\".\"customer_id\" touch [public.complaints(customer_id,body) "
    "public.customers(customer_id,name)]")
TREE("key_not_exists", "SELECT c.name FROM customers c WHERE NOT EXISTS (SELECT 1 FROM complaints k "
    "WHERE k.customer_id = c.customer_id AND k.body LIKE '%x%')",
    "key w=1 r=1 k=+\"c\".\"customer_id\" touch [public.complaints(customer_id,body) "
    "public.customers(customer_id,name)]")
CASE("SELECT c.name FROM customers c WHERE c.customer_id IN (SELECT customer_id "
    "FROM complaints WHERE body LIKE '%x%')",
    "key w=1 r=1 k=+\"c\".\"customer_id\" touch [public.complaints(customer_id,body) "
    "public.customers(customer_id,name)]")
TREE("key_not_in", "SELECT c.name FROM customers c WHERE c.customer_id NOT IN (SELECT customer_id "
    "FROM complaints WHERE body LIKE '%x%')",
    "key w=1 r=1 k=+\"c\".\"customer_id\" touch [public.complaints(customer_id,body) "
    "public.customers(customer_id,name)]")
CASE("SELECT c.name, (SELECT string_agg(body, ',') FROM complaints k WHERE "
    "k.customer_id = c.customer_id) FROM customers c",
    "key w=1,1 r=1 k=+\"c\".\"customer_id\" touch [public.customers(customer_id,name) "
    "public.complaints(customer_id,body)]")
TREE("key_lateral", "SELECT c.name, a.body FROM customers c LEFT JOIN LATERAL (SELECT body FROM "
    "complaints k WHERE k.customer_id = c.customer_id ORDER BY body LIMIT 1) a ON "
    "true",
    "key w=1,1 r=1 k=+\"c\".\"customer_id\" touch [public.complaints(customer_id,body) "
    "public.customers(customer_id,name)]")
CASE("SELECT c.name, ARRAY(SELECT body FROM complaints k WHERE k.customer_id = "
    "c.customer_id) FROM customers c",
    "key w=1,1 r=1 k=+\"c\".\"customer_id\" touch [public.customers(customer_id,name) "
    "public.complaints(customer_id,body)]")
CASE("SELECT c.country FROM customers c LEFT JOIN (SELECT customer_id, count(*) AS "
    "n FROM complaints WHERE body LIKE 'x%' GROUP BY customer_id) k USING "
    "(customer_id) WHERE k.n > 3",
    "key w=0 r=1 k=+\"c\".\"customer_id\" touch [public.complaints(customer_id,body) "
    "public.customers(customer_id)]")

/* L3 not the same subject: edges of inner conditions do not leak out */
CASE("SELECT c.name, d.name, x.body FROM customers c JOIN customers d ON c.name < "
    "d.name LEFT JOIN LATERAL (SELECT body FROM complaints k WHERE c.customer_id = "
    "k.customer_id AND d.customer_id = k.customer_id) x ON true",
    "key w=1,1,1 r=2 k=+\"c\".\"customer_id\";+\"d\".\"customer_id\" touch "
    "[public.customers(customer_id,name) public.complaints(customer_id,body)]")
TREE("key_two_not_one", "SELECT c.name, d.name FROM customers c, customers d WHERE NOT EXISTS (SELECT "
    "1 FROM complaints k WHERE k.customer_id = c.customer_id AND k.customer_id = "
    "d.customer_id)",
    "key w=1,1 r=2 k=+\"c\".\"customer_id\";+\"d\".\"customer_id\" touch "
    "[public.complaints(customer_id) public.customers(customer_id,name)]")
CASE("SELECT c.name, d.name, x.body FROM customers c JOIN customers d ON c.name < "
    "d.name LEFT JOIN LATERAL (SELECT body FROM complaints k WHERE k.customer_id = "
    "c.customer_id AND k.customer_id = d.customer_id) x ON true",
    "key w=1,1,1 r=2 k=+\"c\".\"customer_id\";+\"d\".\"customer_id\" touch "
    "[public.customers(customer_id,name) public.complaints(customer_id,body)]")
CASE("SELECT c.name, d.name FROM customers c LEFT JOIN customers d ON c.customer_id "
    "= d.customer_id OR true",
    "key w=1,1 r=2 k=+\"c\".\"customer_id\";+\"d\".\"customer_id\" touch "
    "[public.customers(customer_id,name)]")
CASE("SELECT c.name FROM customers c WHERE EXISTS (SELECT 1 FROM complaints k WHERE "
    "k.complaint_id = c.customer_id AND k.body LIKE '%x%')",
    "rows w=1 r=2 touch [public.customers(customer_id,name) "
    "public.complaints(body)]")
CASE("SELECT c.name FROM customers c WHERE c.customer_id NOT IN (SELECT customer_id "
    "FROM visits WHERE place LIKE '%x%')",
    "bytes w=* r=3 touch [public.visits(customer_id,place) "
    "public.customers(customer_id,name)]")
CASE("SELECT c.name FROM customers c JOIN staff s ON c.name = s.login",
    "key w=1 r=1 k=+\"c\".\"customer_id\" touch [public.customers(name) "
    "public.staff(login)]")

/* L3 keys that are missing where the person is not, and columns equal to a key */
CASE("SELECT c.name, x.cid FROM customers c LEFT JOIN LATERAL (SELECT c.customer_id "
    "AS cid FROM orders o WHERE o.customer_id = c.customer_id LIMIT 1) x ON true",
    "key w=1,1 r=1 k=+\"c\".\"customer_id\" touch [public.customers(customer_id,name)]")
CASE("SELECT x.cid, x.n FROM customers c, LATERAL (SELECT c.customer_id AS cid, "
    "c.name AS n FROM orders o WHERE o.customer_id = c.customer_id) x",
    "key w=1,1 r=1 k=+\"c\".\"customer_id\" touch [public.customers(customer_id,name)]")
CASE("SELECT customer_id, c.name, count(*) FROM orders JOIN customers c USING "
    "(customer_id) GROUP BY customer_id, c.name",
    "key w=0,1,1 r=1 k=0 touch [public.customers(customer_id,name)]")
CASE("SELECT o.customer_id, c.name FROM orders o, customers c WHERE o.customer_id = "
    "c.customer_id",
    "key w=0,1 r=1 k=0 touch [public.customers(customer_id,name)]")
CASE("SELECT o.customer_id, c.name FROM orders o LEFT JOIN customers c ON "
    "o.customer_id = c.customer_id",
    "key w=0,1 r=1 k=+\"c\".\"customer_id\" touch [public.customers(customer_id,name)]")
CASE("SELECT o.customer_id, string_agg(c.name, ',') FROM orders o LEFT JOIN "
    "customers c ON o.customer_id = c.customer_id GROUP BY o.customer_id",
    "bytes w=0,* r=2 touch [public.customers(customer_id,name)]")
CASE("SELECT o.customer_id, c.name FROM orders o, customers c WHERE o.customer_id = "
    "c.customer_id OR true",
    "key w=0,1 r=1 k=+\"c\".\"customer_id\" touch [public.customers(customer_id,name)]")
CASE("SELECT o.customer_id, o.total FROM orders o, customers c WHERE o.customer_id "
    "= c.customer_id",
    "free w=0,0 touch [public.customers(customer_id)]")
CASE("SELECT g, c.name FROM customers c JOIN generate_series(1, 10) g ON g = "
    "c.customer_id",
    "key w=0,1 r=1 k=0 touch [public.customers(customer_id,name)]")
CASE("SELECT id, c.name FROM secrets JOIN customers c ON c.customer_id = id",
    "bytes w=*,* r=3 touch [!public.secrets(*) public.customers(customer_id,name)]")
CASE("SELECT o.order_id, (SELECT string_agg(body, ',') FROM complaints k WHERE "
    "k.customer_id = o.customer_id) FROM orders o JOIN customers c ON "
    "c.customer_id = o.customer_id",
    "key w=0,1 r=1 k=+\"o\".\"customer_id\" touch [public.customers(customer_id) "
    "public.complaints(customer_id,body)]")

/* L3 rows: at most so many persons a row */
TREE("rows_max", "SELECT max(name), min(kana) FROM customers",
    "rows w=1,1 r=2 touch [public.customers(name,kana)]")
CASE("SELECT max(customer_id) FROM customers",
    "rows w=1 r=1 touch [public.customers(customer_id)]")
CASE("SELECT min(name) FROM customers GROUP BY country",
    "rows w=1 r=1 touch [public.customers(name)]")
CASE("SELECT name FROM customers GROUP BY name",
    "rows w=1 r=1 touch [public.customers(name)]")
TREE("rows_distinct", "SELECT DISTINCT name FROM customers",
    "rows w=1 r=1 touch [public.customers(name)]")
CASE("SELECT DISTINCT ON (country) name FROM customers ORDER BY country, customer_id",
    "rows w=1 r=1 touch [public.customers(customer_id,name)]")
CASE("SELECT name FROM v_nokey",
    "rows w=1 r=1 touch [public.customers(name)]")
TREE("rows_scalar", "SELECT (SELECT name FROM customers WHERE customer_id = 1)",
    "rows w=1 r=1 touch [public.customers(customer_id,name)]")
CASE("SELECT (SELECT name FROM customers WHERE customer_id = 1), (SELECT name FROM "
    "customers WHERE customer_id = 2)",
    "rows w=1,1 r=2 touch [public.customers(customer_id,name)]")
CASE("SELECT c.customer_id, (SELECT name FROM customers d WHERE d.customer_id = "
    "c.customer_id % 1000 + 1) FROM customers c",
    "rows w=1,1 r=2 touch [public.customers(customer_id,name)]")
CASE("SELECT (SELECT phone FROM customers c WHERE c.customer_id = o.customer_id) "
    "FROM orders o",
    "rows w=1 r=1 touch [public.customers(customer_id,phone)]")
TREE("rows_lead", "SELECT customer_id, lead(name) OVER (ORDER BY customer_id) FROM customers",
    "rows w=1,1 r=2 touch [public.customers(customer_id,name)]")
CASE("SELECT first_value(name) OVER (ORDER BY created_at) FROM customers",
    "rows w=1 r=1 touch [public.customers(name)]")
CASE("SELECT mode() WITHIN GROUP (ORDER BY name) FROM customers",
    "rows w=1 r=1 touch [public.customers(name)]")
TREE("rows_exists", "SELECT product FROM products WHERE EXISTS (SELECT 1 FROM customers WHERE name "
    "= product)",
    "rows w=0 r=1 touch [public.customers(name)]")
CASE("SELECT product FROM products WHERE product IN (SELECT name FROM customers)",
    "rows w=0 r=1 touch [public.customers(name)]")
CASE("SELECT product FROM products, (SELECT DISTINCT name FROM customers) n WHERE "
    "n.name = product",
    "rows w=0 r=1 touch [public.customers(name)]")
CASE("SELECT a.product FROM products a, products b WHERE EXISTS (SELECT 1 FROM "
    "customers WHERE name = a.product) AND EXISTS (SELECT 1 FROM customers WHERE "
    "name = b.product)",
    "rows w=0 r=2 touch [public.customers(name)]")
CASE("SELECT name FROM customers UNION SELECT product FROM products",
    "rows w=1 r=1 touch [public.customers(name)]")
TREE("rows_intersect", "SELECT name FROM customers INTERSECT SELECT body FROM complaints",
    "rows w=2 r=2 touch [public.customers(name) public.complaints(body)]")
CASE("SELECT name FROM customers EXCEPT SELECT product FROM products",
    "rows w=1 r=1 touch [public.customers(name)]")
CASE("SELECT name FROM customers UNION ALL SELECT body FROM complaints",
    "rows w=1 r=1 touch [public.customers(name) public.complaints(body)]")
CASE("SELECT s.country FROM (SELECT country FROM customers ORDER BY name LIMIT 10) s",
    "rows w=0 r=1 touch [public.customers(name)]")
TREE("rows_offset", "SELECT name FROM customers ORDER BY name LIMIT 10 OFFSET 20",
    "rows w=1 r=1 touch [public.customers(name)]")
CASE("SELECT order_id FROM orders LIMIT (SELECT ascii(name) FROM customers WHERE "
    "customer_id = 7)",
    "rows w=0 r=1 touch [public.customers(customer_id,name)]")
CASE("SELECT FROM generate_series(1, (SELECT ascii(name) FROM customers WHERE "
    "customer_id = 7))",
    "rows r=1 touch [public.customers(customer_id,name)]")
CASE("SELECT order_id FROM orders o ORDER BY (SELECT name FROM customers c WHERE "
    "c.customer_id = o.customer_id)",
    "rows w=0 r=1 touch [public.customers(customer_id,name)]")
CASE("SELECT customer_id, a.name FROM customers a FULL JOIN (SELECT * FROM "
    "customers WHERE customer_id < 3) b USING (customer_id)",
    "key w=2,1 r=2 k=+\"a\".\"customer_id\";+\"b\".\"customer_id\" touch "
    "[public.customers(customer_id,name)]")
CASE("SELECT name FROM (SELECT customer_id AS x, customer_id AS x, name FROM "
    "customers) s",
    "rows w=1 r=1 touch [public.customers(name)]")
CASE("SELECT customer_id, name FROM customers GROUP BY ROLLUP (customer_id, name)",
    "rows w=1,1 r=1 touch [public.customers(customer_id,name)]")
CASE("SELECT country FROM customers c WHERE c.name = (SELECT full_name FROM staff "
    "WHERE login = 'a')",
    "rows w=0 r=2 touch [public.customers(name) public.staff(login,full_name)]")

/* L3 bytes: one value may hold everybody */
TREE("bytes_string_agg", "SELECT string_agg(name, ',') FROM customers",
    "bytes w=* r=2 touch [public.customers(name)]")
CASE("SELECT json_agg(c), array_agg(name), xmlagg(xmlelement(name n, name)), "
    "jsonb_object_agg(customer_id, name) FROM customers c",
    "bytes w=*,*,*,* r=5 touch "
    "[public.customers(customer_id,name,kana,birth_date,sex,postal_code,address,phone,email)]")
CASE("SELECT string_agg(customer_id::text, ',') FROM customers",
    "bytes w=* r=1 touch [public.customers(customer_id)]")
CASE("SELECT sum(replace(phone, '-', '')::numeric) FROM customers",
    "bytes w=* r=2 touch [public.customers(phone)]")
TREE("bytes_count", "SELECT count(*) FROM customers WHERE phone = 'x'",
    "bytes w=* r=2 touch [public.customers(phone)]")
CASE("SELECT country, count(*) FILTER (WHERE sex = 'f') FROM customers GROUP BY "
    "country",
    "bytes w=0,* r=2 touch [public.customers(sex)]")
CASE("SELECT sex, count(*) FROM customers GROUP BY sex",
    "bytes w=1,* r=2 touch [public.customers(sex)]")
CASE("SELECT avg(length(name)), bool_or(name = 'x'), bit_or(length(name)), "
    "stddev(length(name)) FROM customers",
    "bytes w=*,*,*,* r=5 touch [public.customers(name)]")
CASE("SELECT ARRAY(SELECT name FROM customers)",
    "bytes w=* r=2 touch [public.customers(name)]")
CASE("SELECT EXISTS (SELECT 1 FROM customers WHERE name = 'x')",
    "bytes w=* r=2 touch [public.customers(name)]")
CASE("SELECT 'x' IN (SELECT name FROM customers)",
    "bytes w=* r=2 touch [public.customers(name)]")
CASE("SELECT string_agg(name, ',') OVER () FROM customers LIMIT 1",
    "bytes w=* r=2 touch [public.customers(name)]")
CASE("SELECT name, count(*) OVER () FROM customers WHERE name LIKE 'a%'",
    "bytes w=1,* r=2 touch [public.customers(name)]")
TREE("bytes_rank", "SELECT rank() OVER (ORDER BY name) FROM customers",
    "bytes w=* r=2 touch [public.customers(name)]")
CASE("SELECT t FROM (SELECT string_agg(name, ' ') n FROM customers) s, "
    "regexp_split_to_table(n, ' ') t",
    "bytes w=* r=2 touch [public.customers(name)]")
CASE("SELECT unnest(array_agg(name)) FROM customers",
    "bytes w=* r=2 touch [public.customers(name)]")
CASE("SELECT customer_id, string_agg(name, ',') FROM customers GROUP BY GROUPING "
    "SETS ((customer_id), ())",
    "bytes w=1,* r=2 touch [public.customers(customer_id,name)]")
CASE("SELECT place, string_agg(place, ',') FROM visits GROUP BY customer_id, place",
    "bytes w=1,* r=2 touch [public.visits(customer_id,place)]")
TREE("bytes_recursive", "WITH RECURSIVE t AS (SELECT name FROM customers UNION ALL SELECT t.name || "
    "c.name FROM t, customers c) SELECT * FROM t",
    "bytes w=* r=2 touch [public.customers(name)]")
CASE("WITH RECURSIVE t(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM t WHERE EXISTS "
    "(SELECT 1 FROM customers WHERE name = i::text)) SELECT i FROM t",
    "bytes w=* r=2 touch [public.customers(name)]")
TREE("bytes_uncovered", "SELECT body FROM secrets",
    "bytes w=* r=2 touch [!public.secrets(*)]")
CASE("SELECT s FROM secrets s",
    "bytes w=* r=2 touch [!public.secrets(*)]")
CASE("SELECT id FROM secrets WHERE body = 'x'",
    "bytes w=* r=2 touch [!public.secrets(*)]")
CASE("SELECT product FROM products, secrets WHERE body = product",
    "bytes w=* r=2 touch [!public.secrets(*)]")
CASE("SELECT count(*) FROM secrets WHERE body LIKE 'x%'",
    "bytes w=* r=2 touch [!public.secrets(*)]")
CASE("SELECT name FROM mv",
    "bytes w=* r=2 touch [!public.mv(*)]")
CASE("SELECT label FROM open_parent",
    "bytes w=* r=2 touch [!public.open_parent(*)]")
CASE("SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY length(name)) FROM "
    "customers",
    "bytes w=* r=2 touch [public.customers(name)]")
CASE("SELECT percentile_disc(ARRAY[0.1, 0.5]) WITHIN GROUP (ORDER BY name) FROM "
    "customers",
    "bytes w=* r=2 touch [public.customers(name)]")
CASE("SELECT count(*) FROM secrets",
    "bytes w=* r=2 touch [!public.secrets(*)]")
CASE("SELECT 1 FROM secrets LIMIT 1",
    "bytes w=* r=2 touch [!public.secrets(*)]")
CASE("SELECT tableoid FROM secrets",
    "bytes w=* r=2 touch [!public.secrets(*)]")

/* L3 absence says something of everybody */
TREE("bytes_not_exists", "SELECT product FROM products WHERE NOT EXISTS (SELECT 1 FROM customers WHERE "
    "name = product)",
    "bytes w=* r=2 touch [public.customers(name)]")
CASE("SELECT product FROM products WHERE product NOT IN (SELECT name FROM customers)",
    "bytes w=* r=2 touch [public.customers(name)]")
CASE("SELECT product FROM products WHERE product <> ALL (SELECT name FROM customers)",
    "bytes w=* r=2 touch [public.customers(name)]")
CASE("SELECT product FROM products EXCEPT SELECT name FROM customers",
    "bytes w=* r=2 touch [public.customers(name)]")
TREE("bytes_left_join", "SELECT o.order_id FROM orders o LEFT JOIN customers c ON c.phone = o.note",
    "bytes w=* r=2 touch [public.customers(phone)]")
CASE("SELECT o.order_id FROM orders o LEFT JOIN customers c ON c.phone = o.note "
    "WHERE c.customer_id IS NULL",
    "bytes w=* r=2 touch [public.customers(customer_id,phone)]")
CASE("SELECT p.product FROM customers c FULL JOIN products p ON c.name = p.product",
    "bytes w=* r=2 touch [public.customers(name)]")
CASE("SELECT p.product FROM products p LEFT JOIN LATERAL (SELECT 1 AS x FROM "
    "customers WHERE name <> product) s ON true WHERE s.x IS NULL",
    "bytes w=* r=2 touch [public.customers(name)]")
TREE("bytes_having", "SELECT product FROM products, customers GROUP BY product HAVING max((name <> "
    "product)::int) = 0",
    "bytes w=* r=2 touch [public.customers(name)]")
CASE("SELECT product FROM (SELECT product, max(name) AS m FROM products, customers "
    "GROUP BY product) s WHERE m < 'b'",
    "bytes w=* r=2 touch [public.customers(name)]")
CASE("SELECT product FROM products ORDER BY (SELECT max(name) FROM customers WHERE "
    "name > product) LIMIT 1",
    "bytes w=* r=2 touch [public.customers(name)]")
CASE("SELECT product FROM products WHERE (SELECT name FROM customers WHERE name = "
    "product LIMIT 1) IS NULL",
    "bytes w=* r=2 touch [public.customers(name)]")
CASE("SELECT p.product FROM products p, LATERAL (SELECT 1 FROM customers WHERE name "
    "> p.product OFFSET 999) s",
    "bytes w=* r=2 touch [public.customers(name)]")
CASE("SELECT product FROM products p LEFT JOIN orders o ON EXISTS (SELECT 1 FROM "
    "customers WHERE name = product)",
    "bytes w=* r=2 touch [public.customers(name)]")
CASE("SELECT g, s.country FROM generate_series(1,10) g, LATERAL (SELECT country "
    "FROM customers WHERE name > g::text ORDER BY name LIMIT 1) s",
    "bytes w=*,* r=3 touch [public.customers(name)]")
CASE("SELECT country FROM customers GROUP BY country HAVING count(*) FILTER (WHERE "
    "sex = 'f') = 3",
    "bytes w=* r=2 touch [public.customers(sex)]")
CASE("SELECT p.product FROM products p LEFT JOIN (SELECT product_id FROM orders "
    "WHERE EXISTS (SELECT 1 FROM customers WHERE name = note)) o ON o.product_id = "
    "p.product_id WHERE o.product_id IS NULL",
    "bytes w=* r=2 touch [public.customers(name)]")
CASE("SELECT count(*) FROM (SELECT DISTINCT name FROM customers) s",
    "bytes w=* r=2 touch [public.customers(name)]")
CASE("SELECT count(*) FROM (SELECT name FROM customers UNION SELECT body FROM "
    "complaints) s",
    "bytes w=* r=2 touch [public.customers(name) public.complaints(body)]")
CASE("SELECT count(*) FROM (SELECT 1 FROM customers GROUP BY name) s",
    "bytes w=* r=2 touch [public.customers(name)]")
CASE("SELECT product FROM products WHERE (SELECT kana FROM customers WHERE name = "
    "product) IS NULL",
    "bytes w=* r=2 touch [public.customers(name,kana)]")

/* L3 functions */
TREE("refused_xml", "SELECT query_to_xml('select 1', true, false, '')",
    "refused RUNS_SQL pg_catalog.query_to_xml []")
CASE("SELECT table_to_xml('customers', true, false, ''), 1",
    "refused RUNS_SQL pg_catalog.table_to_xml []")
CASE("SELECT schema_to_xml('public', true, false, '')",
    "refused RUNS_SQL pg_catalog.schema_to_xml []")
CASE("SELECT cursor_to_xml('c', 1, true, false, '')",
    "refused RUNS_SQL pg_catalog.cursor_to_xml []")
CASE("SELECT * FROM ts_stat('select 1')",
    "refused RUNS_SQL pg_catalog.ts_stat []")
CASE("SELECT ts_rewrite('a'::tsquery, 'select 1')",
    "refused RUNS_SQL pg_catalog.ts_rewrite []")
CASE("SELECT ts_rewrite('a'::tsquery, 'a'::tsquery, 'b'::tsquery)",
    "free w=0 []")
CASE("SELECT pg_read_file('x')",
    "refused RUNS_SQL pg_catalog.pg_read_file []")
CASE("SELECT * FROM pg_ls_dir('.')",
    "refused RUNS_SQL pg_catalog.pg_ls_dir []")
CASE("SELECT lo_get(1)",
    "refused RUNS_SQL pg_catalog.lo_get []")
CASE("SELECT pg_logical_slot_get_changes('s', NULL, NULL)",
    "refused RUNS_SQL pg_catalog.pg_logical_slot_get_changes []")
CASE("SELECT pg_backup_start('x')",
    "refused RUNS_SQL pg_catalog.pg_backup_start []")
CASE("SELECT domain_in('a', 1, 0)",
    "refused RUNS_SQL pg_catalog.domain_in []")
TREE("free_set_config", "SELECT set_config('search_path', 'public', false)",
    "free w=0 exact context []")
CASE("SELECT set_config('DateStyle', 'ISO', true)",
    "free w=0 exact []")
CASE("SELECT set_config('my.setting', 'x', false)",
    "free w=0 exact []")
CASE("SELECT set_config('my.setting', name, false) FROM customers",
    "refused SINK set_config [public.customers(name)]")
TREE("refused_set_config", "SELECT set_config('application_name', 'x', false)",
    "refused SETTING application_name []")
CASE("SELECT set_config('debug_print_rewritten', 'off', false)",
    "refused SETTING debug_print_rewritten []")
CASE("SELECT set_config('debug_' || 'print_rewritten', 'off', false)",
    "refused SETTING (computed name) []")
CASE("SELECT set_config(name, 'view, foreign-table', false) FROM pg_settings "
    "WHERE name = 'restrict_nonsystem_relation_kind'",
    "free w=0 exact context []")
CASE("SELECT set_config(s.name, 'x', true) FROM pg_settings s WHERE s.context = 'user' "
    "AND s.name = 'search_path'",
    "free w=0 exact context []")
CASE("SELECT set_config(name, 'off', false) FROM pg_settings WHERE name = 'log_statement'",
    "refused SETTING log_statement []")
CASE("SELECT set_config(name, 'off', false) FROM pg_settings WHERE name = 'work_mem' "
    "OR name = 'log_statement'",
    "refused SETTING (computed name) []")
CASE("SELECT set_config(name, 'off', false) FROM pg_settings WHERE setting = 'work_mem'",
    "refused SETTING (computed name) []")
CASE("SELECT set_config(b.name, '1', false) FROM pg_settings a, pg_settings b "
    "WHERE a.name = 'work_mem'",
    "refused SETTING (computed name) []")
CASE("SELECT set_config(name || '', '1', false) FROM pg_settings WHERE name = 'work_mem'",
    "refused SETTING (computed name) []")
CASE("SELECT 1 FROM pg_settings WHERE set_config(name, 'off', false) = 'off' AND "
    "name = 'work_mem'",
    "refused SETTING (computed name) []")
CASE("SELECT (SELECT set_config(a.name, 'off', false)) FROM pg_settings a WHERE "
    "a.name = 'work_mem'",
    "refused SETTING (computed name) []")
CASE("SELECT set_config($1, 'off', false)",
    "refused SETTING (computed name) []")
CASE("SELECT set_config('work_mem', '1MB', true) FROM customers WHERE name = 'x'",
    "refused SINK set_config [public.customers(name)]")
CASE("SELECT pg_notify('a', 'b')",
    "free w=0 []")
TREE("refused_notify", "SELECT pg_notify('a', name) FROM customers",
    "refused SINK pg_catalog.pg_notify [public.customers(name)]")
CASE("SELECT pg_notify('a', 'b') FROM customers WHERE name = 'x'",
    "refused SINK pg_catalog.pg_notify [public.customers(name)]")
CASE("SELECT CASE WHEN name = 'x' THEN pg_notify('a', 'b')::text END FROM customers",
    "refused SINK pg_catalog.pg_notify [public.customers(name)]")
CASE("SELECT count(pg_notify('a', 'b')) FROM customers WHERE name = 'x'",
    "refused SINK pg_catalog.pg_notify [public.customers(name)]")
CASE("SELECT 1 FROM customers WHERE name = 'x' AND pg_sleep(1) IS NULL",
    "refused SINK pg_catalog.pg_sleep [public.customers(name)]")
CASE("SELECT pg_sleep((SELECT ascii(name) FROM customers WHERE customer_id = 7))",
    "refused SINK pg_catalog.pg_sleep [public.customers(customer_id,name)]")
CASE("SELECT pg_advisory_lock(customer_id) FROM customers",
    "refused SINK pg_catalog.pg_advisory_lock [public.customers(customer_id)]")
CASE("SELECT pg_advisory_lock(5)",
    "free w=0 []")
CASE("SELECT nextval('orders_order_id_seq')",
    "free w=0 []")
CASE("SELECT nextval('orders_order_id_seq') FROM customers WHERE name = 'x'",
    "refused SINK pg_catalog.nextval [public.customers(name)]")
CASE("SELECT name, nextval('orders_order_id_seq') FROM customers",
    "key w=1,0 r=1 k=+\"customers\".\"customer_id\" touch [public.customers(name)]")
CASE("SELECT setval('orders_order_id_seq', (SELECT ascii(name) FROM customers WHERE "
    "customer_id = 7))",
    "refused SINK pg_catalog.setval [public.customers(customer_id,name)]")
TREE("refused_function", "SELECT f_user('x')",
    "refused USER_FUNCTION public.f_user []")
CASE("SELECT f_open(name) FROM customers",
    "key w=1 r=1 k=+\"customers\".\"customer_id\" touch code [public.customers(name)]")
CASE("SELECT f_open('x')",
    "free w=0 code []")
CASE("SELECT f_opaque(1)",
    "bytes w=* r=2 touch code []")
CASE("SELECT 1 WHERE f_opaque(1) = 'x'",
    "bytes w=* r=2 touch code []")
CASE("SELECT * FROM f_rows()",
    "refused USER_FUNCTION public.f_rows []")
CASE("SELECT 'x' === 1",
    "refused USER_FUNCTION public.f_eq []")
CASE("SELECT f_agg(name) FROM customers",
    "refused USER_FUNCTION public.f_agg [public.customers(name)]")
CASE("SELECT f_agg(product) OVER () FROM products",
    "refused USER_FUNCTION public.f_agg []")
CASE("SELECT product FROM products ORDER BY f_user(product)",
    "refused USER_FUNCTION public.f_user []")
CASE("SELECT 1 LIMIT length(f_user('x'))",
    "refused USER_FUNCTION public.f_user []")
CASE("VALUES (f_user('x'))",
    "refused USER_FUNCTION public.f_user []")
CASE("SELECT phone::phone_no FROM customers",
    "key w=1 r=1 k=+\"customers\".\"customer_id\" touch [public.customers(phone)]")
CASE("SELECT 'x'::checked",
    "free w=0 code []")
CASE("SELECT phone::checked FROM customers",
    "bytes w=* r=2 touch code [public.customers(phone)]")
CASE("SELECT phone::text::mood FROM customers",
    "key w=1 r=1 k=+\"customers\".\"customer_id\" touch [public.customers(phone)]")
CASE("SELECT * FROM json_to_recordset((SELECT doc::json FROM typed LIMIT 1)) AS t(x "
    "checked)",
    "bytes w=* r=2 touch code [public.typed(doc)]")

/* L3 the partition tells what it is divided by */
CASE("SELECT note FROM aged",	/* one partition after the other */
    "key w=0 r=1 k=+\"aged\".\"customer_id\"@6 touch []")
CASE("SELECT tableoid FROM aged",
    "key w=1 r=1 k=+\"aged\".\"customer_id\"@6 touch []")
CASE("SELECT tableoid FROM parts",
    "free w=0 touch []")
CASE("SELECT note FROM aged_old",
    "key w=0 r=1 k=+\"aged_old\".\"customer_id\"@6 touch []")
CASE("SELECT count(*) FROM aged_old",
    "bytes w=* r=2 touch []")
CASE("SELECT count(*) FROM parts_jp",
    "free w=0 touch []")
CASE("SELECT 1 FROM customers WHERE name = 'x' AND nextval('orders_order_id_seq') > "
    "0 HAVING true",
    "refused SINK pg_catalog.nextval [public.customers(name)]")

/* L3 catalogs and what others do */
CASE("SELECT query FROM pg_stat_activity",
    "bytes w=* r=2 touch []")
CASE("SELECT pid, state, usename FROM pg_stat_activity",
    "free w=0,0,0 touch []")
CASE("SELECT pid FROM pg_stat_activity WHERE query LIKE 'x%'",
    "bytes w=* r=2 touch []")
CASE("SELECT * FROM pg_stats",
    "bytes w=*,*,*,*,*,*,*,*,*,*,*,*,*,* r=15 touch "
    "[pg_catalog.pg_statistic(starelid,staattnum,stainherit,stanullfrac,stawidth,stadistinct,stakind1,stakind2,stakind3,stakind4,stakind5,stanumbers1,stanumbers2,stanumbers3,stanumbers4,stanumbers5,stavalues1,stavalues2,stavalues3,stavalues4,stavalues5)]")
CASE("SELECT n_distinct FROM pg_stats WHERE tablename = 'customers'",
    "bytes w=* r=2 touch [pg_catalog.pg_statistic(starelid,staattnum,stadistinct)]")
CASE("SELECT statement FROM pg_prepared_statements",
    "bytes w=* r=2 touch []")
CASE("SELECT name FROM pg_cursors",
    "bytes w=* r=2 touch []")
CASE("SELECT rolname, rolsuper FROM pg_roles",
    "free w=0,0 touch []")
CASE("SELECT rolpassword FROM pg_authid",
    "bytes w=* r=2 touch [pg_catalog.pg_authid(rolpassword)]")
CASE("SELECT passwd FROM pg_shadow",
    "bytes w=* r=2 touch [pg_catalog.pg_authid(rolpassword)]")
CASE("SELECT umoptions FROM pg_user_mappings",
    "bytes w=* r=2 touch [pg_catalog.pg_user_mapping(umoptions)]")
CASE("SELECT data FROM pg_largeobject",
    "bytes w=* r=2 touch [pg_catalog.pg_largeobject(data)]")
CASE("SELECT relname, attname, format_type(atttypid, atttypmod) FROM pg_class c "
    "JOIN pg_attribute a ON a.attrelid = c.oid WHERE pg_table_is_visible(c.oid)",
    "free w=0,0,0 []")
CASE("SELECT table_name, column_name FROM information_schema.columns",
    "free w=0,0 []")
CASE("SELECT name, setting FROM pg_settings",
    "free w=0,0 []")
CASE("SELECT locktype, objid FROM pg_locks",
    "free w=0,0 []")
CASE("SELECT relname, n_live_tup FROM pg_stat_user_tables",
    "free w=0,0 touch []")
CASE("SELECT relname, idx_tup_fetch FROM pg_stat_user_tables",
    "bytes w=0,* r=2 touch []")
CASE("SELECT pg_size_pretty(pg_relation_size('customers'))",
    "free w=0 []")

/* writes */
CASE("INSERT INTO customers (customer_id, name) VALUES (1, 'x')",
    "free touch mod []")
CASE("INSERT INTO customers (customer_id, name) VALUES (1, $1), (2, $2) RETURNING "
    "customer_id",
    "key w=1 r=1 k=0 touch mod [public.customers(customer_id)]")
CASE("INSERT INTO customers (customer_id, name) VALUES (1, 'x') RETURNING name",
    "key w=1 r=1 k=+\"customers\".\"customer_id\" touch mod [public.customers(name)]")
CASE("INSERT INTO orders (note) VALUES ('x') RETURNING order_id",
    "free w=0 mod []")
TREE("free_upsert", "INSERT INTO customers (customer_id, name) VALUES (1, 'x') ON CONFLICT "
    "(customer_id) DO UPDATE SET name = excluded.name",
    "free touch mod [public.customers(customer_id)]")
CASE("INSERT INTO customers (customer_id, name) VALUES (1, 'x') ON CONFLICT "
    "(customer_id) DO UPDATE SET name = excluded.name || customers.kana, country = "
    "excluded.country",
    "free touch mod [public.customers(customer_id,kana)]")
CASE("INSERT INTO customers (customer_id, name) VALUES (1, 'x') ON CONFLICT (email) "
    "DO UPDATE SET country = 'x'",
    "free touch tag mod [public.customers(email)]")
CASE("INSERT INTO customers (customer_id, name) VALUES (1, 'x') ON CONFLICT (email) "
    "DO NOTHING",
    "free touch tag mod [public.customers(email)]")
CASE("INSERT INTO customers (customer_id, name) VALUES (1, 'x') ON CONFLICT DO "
    "NOTHING",
    "free touch tag mod []")
CASE("INSERT INTO products VALUES (1, 'x') ON CONFLICT (product_id) DO UPDATE SET "
    "product = (SELECT max(name) FROM customers)",
    "refused COPIES public.products [public.customers(name)]")
CASE("INSERT INTO products SELECT customer_id, name FROM customers",
    "refused COPIES public.products [public.customers(customer_id,name)]")
CASE("INSERT INTO orders (customer_id, note) SELECT customer_id, country FROM "
    "customers",
    "free touch mod [public.customers(customer_id)]")
CASE("INSERT INTO orders (customer_id, note) SELECT customer_id, country FROM "
    "customers WHERE name = 'x'",
    "refused SINK pg_catalog.nextval [public.customers(customer_id,name)]")
CASE("INSERT INTO orders (product_id) SELECT customer_id FROM customers",
    "refused COPIES public.orders [public.customers(customer_id)]")
CASE("INSERT INTO complaints (complaint_id, customer_id, body) SELECT 1, "
    "customer_id, name FROM customers",
    "free touch mod [public.customers(customer_id,name)]")
CASE("INSERT INTO complaints (complaint_id, customer_id, body) SELECT 1, "
    "a.customer_id, b.name FROM customers a, customers b",
    "refused COPIES public.complaints [public.customers(customer_id,name)]")
CASE("INSERT INTO complaints (complaint_id, customer_id, body) SELECT 1, 7, name "
    "FROM customers",
    "refused COPIES public.complaints [public.customers(name)]")
CASE("INSERT INTO complaints (complaint_id, customer_id, body) SELECT 1, "
    "customer_id, name FROM customers WHERE name = 'x'",
    "free touch tag=1 mod [public.customers(customer_id,name)]")
CASE("INSERT INTO customers (customer_id, name) SELECT 5000, string_agg(name, ',') "
    "FROM customers",
    "refused COPIES public.customers [public.customers(name)]")
CASE("INSERT INTO customers (customer_id, name) SELECT id, body FROM secrets",
    "refused COPIES public.customers [!public.secrets(*)]")
CASE("INSERT INTO staff (login, full_name) SELECT customer_id::text, name FROM "
    "customers",
    "refused COPIES public.staff [public.customers(customer_id,name)]")
CASE("INSERT INTO secrets SELECT customer_id, name FROM customers WHERE name LIKE "
    "'x%'",
    "free touch tag mod [public.customers(customer_id,name)]")
CASE("INSERT INTO identity_open (line) VALUES ('x') RETURNING id",
    "free w=0 mod []")
CASE("UPDATE customers SET name = upper(name), country = 'x' WHERE customer_id = 1",
    "free touch mod [public.customers(customer_id,name)]")
CASE("UPDATE customers SET name = 'x' WHERE phone = '1' RETURNING country",
    "key w=0 r=1 k=+\"customers\".\"customer_id\" touch mod [public.customers(phone)]")
CASE("UPDATE customers SET country = 'x' WHERE phone = '1'",
    "free touch tag=1 mod [public.customers(phone)]")
CASE("UPDATE customers SET country = 'x' WHERE customer_id = (SELECT customer_id FROM "
    "customers WHERE phone = '1')",
    "free touch tag=8 mod [public.customers(customer_id,phone)]")
CASE("UPDATE orders SET note = 'x' WHERE (SELECT string_agg(name, '') FROM customers) "
    "LIKE '%x%'",
    "free touch tag=8 mod [public.customers(name)]")
CASE("UPDATE customers SET country = name",
    "refused COPIES public.customers [public.customers(name)]")
CASE("UPDATE customers SET vip = (name = 'x')",
    "refused COPIES public.customers [public.customers(name)]")
CASE("UPDATE customers SET customer_id = 5 WHERE customer_id = 6",
    "refused KEY public.customers [public.customers(customer_id)]")
CASE("UPDATE customers SET customer_id = customer_id",
    "free touch mod [public.customers(customer_id)]")
CASE("UPDATE customers a SET name = b.name FROM customers b WHERE a.customer_id = 1 "
    "AND b.customer_id = 2",
    "refused COPIES public.customers [public.customers(customer_id,name)]")
CASE("UPDATE customers a SET name = k.body FROM complaints k WHERE k.customer_id = "
    "a.customer_id",
    "free touch mod [public.complaints(customer_id,body) "
    "public.customers(customer_id)]")
CASE("UPDATE customers SET name = (SELECT string_agg(name, ',') FROM customers) "
    "WHERE customer_id = 1",
    "refused COPIES public.customers [public.customers(customer_id,name)]")
TREE("free_update_multi", "UPDATE customers SET (name, kana) = (SELECT body, body FROM complaints k "
    "WHERE k.customer_id = customers.customer_id LIMIT 1)",
    "free touch mod [public.complaints(customer_id,body) "
    "public.customers(customer_id)]")
CASE("UPDATE customers SET (name, kana) = (SELECT body, body FROM complaints k "
    "WHERE k.complaint_id = 1)",
    "refused COPIES public.customers [public.complaints(body)]")
CASE("UPDATE customers SET name = 'x' WHERE CURRENT OF c RETURNING name",
    "key w=1 r=1 k=+\"customers\".\"customer_id\" touch mod [public.customers(name)]")
TREE("refused_copy", "UPDATE orders SET note = c.name FROM customers c WHERE c.customer_id = "
    "orders.customer_id",
    "refused COPIES public.orders [public.customers(customer_id,name)]")
CASE("UPDATE orders SET note = c.country FROM customers c WHERE c.customer_id = "
    "orders.customer_id",
    "free touch mod [public.customers(customer_id)]")
CASE("UPDATE orders SET note = 'x' WHERE EXISTS (SELECT 1 FROM customers c WHERE "
    "c.customer_id = orders.customer_id AND name = 'x')",
    "free touch tag=1 mod [public.customers(customer_id,name)]")
CASE("UPDATE secrets SET body = (SELECT string_agg(name, ',') FROM customers)",
    "free touch tag mod [!public.secrets(*) public.customers(name)]")
CASE("DELETE FROM customers WHERE email = 'x'",
    "free touch tag=1 mod [public.customers(email)]")
CASE("DELETE FROM customers WHERE customer_id = 1 RETURNING *",
    "key w=1,1,1,1,1,1,1,1,1,0,0,0 r=1 k=0 touch mod "
    "[public.customers(customer_id,name,kana,birth_date,sex,postal_code,address,phone,email)]")
CASE("DELETE FROM customers WHERE customer_id = 1 AND EXISTS (SELECT 1 FROM "
    "customers b WHERE b.customer_id = 2 AND b.phone = 'x')",
    "free touch tag=1 mod [public.customers(customer_id,phone)]")
CASE("DELETE FROM orders WHERE customer_id IN (SELECT customer_id FROM customers "
    "WHERE email = 'x')",
    "free touch tag=1 mod [public.customers(customer_id,email)]")
CASE("DELETE FROM orders WHERE customer_id = 1",
    "free mod []")
CASE("MERGE INTO customers c USING products s ON s.product_id = c.customer_id WHEN "
    "MATCHED THEN UPDATE SET name = s.product WHEN NOT MATCHED THEN INSERT "
    "(customer_id, name) VALUES (s.product_id, s.product)",
    "free touch mod [public.customers(customer_id)]")
TREE("free_merge", "MERGE INTO customers c USING complaints k ON k.customer_id = c.customer_id "
    "WHEN MATCHED THEN UPDATE SET name = k.body",
    "free touch mod [public.complaints(customer_id,body) "
    "public.customers(customer_id)]")
CASE("MERGE INTO customers c USING complaints k ON k.customer_id = c.customer_id "
    "WHEN MATCHED AND c.name = 'x' THEN DELETE",
    "free touch tag=1 mod [public.complaints(customer_id) "
    "public.customers(customer_id,name)]")
CASE("MERGE INTO customers c USING secrets s ON s.id = c.customer_id WHEN MATCHED "
    "THEN UPDATE SET name = s.body",
    "refused COPIES public.customers [!public.secrets(*) "
    "public.customers(customer_id)]")
CASE("MERGE INTO orders o USING customers c ON c.customer_id = o.customer_id WHEN "
    "MATCHED THEN UPDATE SET note = c.name",
    "refused COPIES public.orders [public.customers(customer_id,name)]")
CASE("MERGE INTO orders o USING customers c ON c.customer_id = o.customer_id AND "
    "c.name = 'x' WHEN MATCHED THEN DO NOTHING WHEN NOT MATCHED THEN INSERT (note) "
    "VALUES ('x')",
    "refused SINK pg_catalog.nextval [public.customers(customer_id,name)]")
CASE("WITH x AS (DELETE FROM customers WHERE customer_id = 1 RETURNING *) SELECT "
    "name FROM x",
    "key w=1 r=1 k=+\"x\".\"customer_id\" touch mod "
    "[public.customers(customer_id,name)]")
CASE("WITH x AS (INSERT INTO orders (note) SELECT name FROM customers RETURNING *) "
    "SELECT 1",
    "refused COPIES public.orders [public.customers(name)]")
CASE("WITH x AS (UPDATE customers SET vip = true RETURNING name) SELECT count(*) "
    "FROM x",
    "free w=0 touch mod []")
CASE("UPDATE v_write SET name = 'x' RETURNING name",
    "rows w=1 r=1 touch mod [public.customers(name)]")
CASE("INSERT INTO v_write VALUES (1, 'x', 'jp') RETURNING *",
    "key w=1,1,0 r=1 k=0 touch mod [public.customers(customer_id,name)]")
CASE("INSERT INTO triggered VALUES (1, 'x', 'y')",
    "free touch mod code []")
CASE("INSERT INTO ruled VALUES (1, 'x')",
    "free mod []")
TREE("refused_rule", "INSERT INTO ruled SELECT customer_id, name FROM customers",
    "refused COPIES public.ruled [public.customers(customer_id,name)]")
CASE("INSERT INTO ruled_off VALUES (1)",
    "free []")
CASE("INSERT INTO ruled_rows VALUES (1)",
    "refused UNKNOWN_NODE a rule that returns rows []")
CASE("MERGE INTO customers c USING (SELECT k.customer_id AS kid, v.customer_id AS "
    "vid, place FROM complaints k, visits v) s ON s.kid = c.customer_id AND s.vid "
    "= c.customer_id WHEN NOT MATCHED THEN INSERT (customer_id, name) VALUES "
    "(s.kid, s.place)",
    "refused COPIES public.customers [public.complaints(customer_id) "
    "public.customers(customer_id) public.visits(customer_id,place)]")

/* L3 which rows are changed can be seen afterwards */
CASE("UPDATE customers SET country = 'x' WHERE phone = '1' RETURNING customer_id",
    "key w=1 r=1 k=0 touch mod [public.customers(customer_id,phone)]")
CASE("UPDATE customers SET name = 'x' WHERE phone = '1' AND customer_id = 5",
    "free touch tag mod [public.customers(customer_id,phone)]")
CASE("UPDATE customers SET name = 'x' WHERE phone = '1' AND customer_id = $1",
    "free touch tag mod [public.customers(customer_id,phone)]")
CASE("UPDATE customers SET name = 'x' FROM generate_series(1,100) g WHERE phone = "
    "'1' AND customer_id = g",
    "free touch tag=1 mod [public.customers(customer_id,phone)]")
CASE("UPDATE customers SET name = 'x' WHERE phone = '1' OR customer_id = $1",
    "free touch tag=1 mod [public.customers(customer_id,phone)]")
CASE("INSERT INTO ruled SELECT 1, 'x' FROM customers WHERE phone = '1'",
    "refused CHOICE public.ruled [public.customers(phone)]")
CASE("INSERT INTO customers (customer_id, email, country) VALUES (nextval('orders_order_id_seq'), "
    "'x', 'y') ON CONFLICT (email) DO NOTHING",
    "free touch tag mod [public.customers(email)]")
CASE("INSERT INTO customers (customer_id, email) VALUES (1, 'x') ON CONFLICT (email) DO "
    "UPDATE SET vip = nextval('orders_order_id_seq') > 0",
    "refused SINK pg_catalog.nextval [public.customers(email)]")
CASE("DELETE FROM customers WHERE email = 'x' RETURNING 1",
    "key w=0 r=1 k=+\"customers\".\"customer_id\" touch mod [public.customers(email)]")
CASE("WITH x AS (DELETE FROM customers WHERE email = 'x' RETURNING customer_id) "
    "SELECT count(*) FROM x",
    "refused CHOICE public.customers [public.customers(email)]")
CASE("DELETE FROM customers WHERE customer_id = 1 AND EXISTS (SELECT 1 FROM "
    "complaints b WHERE b.customer_id = customers.customer_id AND b.body = 'x')",
    "free touch tag mod [public.customers(customer_id) "
    "public.complaints(customer_id,body)]")
CASE("INSERT INTO customers (customer_id, email) VALUES (1, 'x') ON CONFLICT "
    "(email) DO UPDATE SET country = 'x'",
    "free touch tag mod [public.customers(email)]")
CASE("INSERT INTO customers (customer_id, email) VALUES (1, 'x'), (2, 'y') ON "
    "CONFLICT (email) DO UPDATE SET country = 'x'",
    "refused CHOICE public.customers [public.customers(email)]")
CASE("INSERT INTO customers (customer_id, email) VALUES (1, 'x'), (2, 'y') ON "
    "CONFLICT (email) DO NOTHING",
    "refused CHOICE public.customers [public.customers(email)]")
CASE("INSERT INTO customers (customer_id, email) VALUES (1, 'x'), (2, 'y') ON "
    "CONFLICT (customer_id) DO NOTHING",
    "free touch mod [public.customers(customer_id)]")
CASE("INSERT INTO complaints (complaint_id, customer_id, body) VALUES (1, 1, 'x'), "
    "(2, 2, 'y') ON CONFLICT DO NOTHING",
    "free touch mod []")
CASE("INSERT INTO customers (customer_id, email) VALUES (1, 'x'), (2, 'y') ON "
    "CONFLICT DO NOTHING",
    "refused CHOICE public.customers []")
CASE("SELECT count(*) FROM (SELECT 1 FROM customers WHERE phone LIKE '1%' FOR "
    "UPDATE) s",
    "refused UNKNOWN_NODE FOR UPDATE [public.customers(phone)]")
CASE("SELECT count(*) FROM (SELECT 1 FROM customers WHERE customer_id = 4 FOR "
    "UPDATE) s",
    "free w=0 touch [public.customers(customer_id)]")
CASE("SELECT name FROM customers WHERE phone = 'x' FOR UPDATE",
    "key w=1 r=1 k=+\"customers\".\"customer_id\" touch [public.customers(name,phone)]")
CASE("SELECT name FROM v_cust WHERE name = 'x' FOR UPDATE",
    "key w=1 r=1 k=+\"v_cust\".\"customer_id\" touch [public.customers(name)]")
CASE("UPDATE pg_class SET relname = 'x'",
    "refused SYSTEM pg_catalog.pg_class []")

/* cursors and row security */
TREE("key_cursor", "DECLARE c CURSOR FOR SELECT name FROM customers",
    "key w=1 r=1 k=+\"customers\".\"customer_id\" touch [public.customers(name)]")
CASE("DECLARE c CURSOR FOR SELECT * FROM v_country",
    "bytes w=*,* r=3 touch [!public.v_country(*)]")
CASE("SELECT name FROM guarded",
    "key w=1 r=1 k=+\"guarded\".\"customer_id\"@10 touch [public.guarded(name)]")
TREE("key_row_security", "SELECT name, free FROM guarded2",
    "key w=1,0 r=1 k=+\"guarded2\".\"customer_id\"@11 touch [public.guarded2(name)]")
CASE("INSERT INTO guarded2 VALUES (1, 'b', 'c')",
    "free touch mod [public.guarded2(name)]")
CASE("DECLARE c CURSOR FOR SELECT * FROM pg_stats",
    "bytes w=*,*,*,*,*,*,*,*,*,*,*,*,*,* r=15 touch [!pg_catalog.pg_stats(*)]")
CASE("SELECT free FROM guarded2",
    "key w=0 r=1 k=+\"guarded2\".\"customer_id\"@11 touch [public.guarded2(name)]")
CASE("SELECT count(*) FROM guarded2",
    "bytes w=* r=2 touch [public.guarded2(name)]")

#undef CASE
#undef TREE
