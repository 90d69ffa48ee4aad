-- SPDX-License-Identifier: Apache-2.0
-- Search, also by what common extensions add (pg_trgm, unaccent, pgcrypto, citext,
-- uuid-ossp, hstore).

-- free: products by words
SELECT product_id, title FROM products WHERE to_tsvector('simple', title) @@ to_tsquery('simple', 'desk & 5');

-- free: products by words, ranked
SELECT product_id, title, ts_rank(to_tsvector('simple', title), q) AS r FROM products, plainto_tsquery('simple', 'sofa') q WHERE to_tsvector('simple', title) @@ q ORDER BY r DESC, product_id LIMIT 5;

-- free: products with a typing error, by trigrams
SELECT title, similarity(title, 'Shlef') FROM products WHERE title % 'Shlef' ORDER BY 2 DESC, 1 LIMIT 5;

-- free: word similarity
SELECT title FROM products ORDER BY 'chiar' <<-> title, title LIMIT 5;

-- free: threshold of the trigrams
SET pg_trgm.similarity_threshold = 0.2;

-- free: threshold, the old way
SELECT set_limit(0.3), show_limit();
-- known refused KB003: set_limit() stores its argument, so it cannot be declared; SET does the same

-- free: trigrams of a word
SELECT show_trgm('Schrank');

-- free: products, accents removed
SELECT title FROM products WHERE unaccent(lower(title)) LIKE unaccent('lámp%') ORDER BY title;

-- free: new identifiers
SELECT gen_random_uuid(), uuid_generate_v4(), uuid_generate_v5(uuid_ns_url(), 'https://shop.example/1');

-- free: digest of a file's name
SELECT encode(digest('invoice-2026-06.pdf', 'sha256'), 'hex'), encode(hmac('a', 'key', 'sha1'), 'hex'), crypt('x', gen_salt('bf', 4)) IS NOT NULL;

-- free: hstore of constants
SELECT 'a=>1, b=>2'::hstore -> 'b', akeys('a=>1'::hstore);

-- free: case-insensitive compare of constants
SELECT 'Store 1'::citext = 'STORE 1'::citext;

-- free: stores, case-insensitive
SELECT store_id FROM stores WHERE name::citext = 'store 3';

-- free: nearest spelling of a store
SELECT name FROM stores ORDER BY name <-> 'Stroe 4' LIMIT 1;

-- shows 1: digest of a customer's e-mail, for a mailing service
SELECT customer_id, encode(digest(email::text, 'sha256'), 'hex') FROM customers WHERE customer_id = 12;

-- shows 1: by words in name and kana
SELECT customer_id, name FROM customers WHERE search @@ to_tsquery('simple', '高橋 & ミサキ') AND store_id = 1 AND customer_id < 300;

-- shows 1: is this e-mail known, whatever the case
SELECT customer_id FROM customers WHERE email = 'C55@MAIL.EXAMPLE';

-- shows 5: names sounding alike, five
SELECT customer_id, name, similarity(kana, 'ワタナベ ケン') AS s FROM customers ORDER BY s DESC, customer_id LIMIT 5;

-- shows 1: staff by login, whatever the case
SELECT staff_id, name FROM staff WHERE login = 'STAFF7';

-- free: staff number by own login (asked by the application at log-in)
SELECT active, department FROM staff WHERE staff_id = 7;

-- free: products by a jsonb attribute
SELECT sku FROM products WHERE specs @> '{"colour": 2}' AND (specs->>'kg')::int < 20 ORDER BY sku;

-- free: keys of the specs
SELECT DISTINCT jsonb_object_keys(specs) FROM products ORDER BY 1;

-- free: jsonpath
SELECT sku FROM products WHERE specs @? '$.kg ? (@ > 58)' ORDER BY 1;

-- free: regular expressions on titles
SELECT sku, regexp_replace(title, '\s+\d+$', ''), title ~* '^(desk|lamp)' FROM products ORDER BY sku LIMIT 5;

-- free: suggestions while typing a product
SELECT title FROM products WHERE lower(title) LIKE lower('De%') ORDER BY title LIMIT 8;
