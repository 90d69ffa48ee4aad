-- SPDX-License-Identifier: Apache-2.0
-- A shop's customer database, as call centres and their contractors see one. All
-- people are made up. Built by the owner, who is the gate's own role.
CREATE EXTENSION pg_trgm;
CREATE EXTENSION unaccent;
CREATE EXTENSION pgcrypto;
CREATE EXTENSION citext;
CREATE EXTENSION "uuid-ossp";
CREATE EXTENSION hstore;
CREATE EXTENSION btree_gin;

CREATE TYPE member_rank AS ENUM ('regular', 'silver', 'gold', 'platinum');
CREATE TYPE ticket_state AS ENUM ('open', 'waiting', 'solved', 'closed');
CREATE DOMAIN yen AS numeric(12, 0) CHECK (value >= 0);

CREATE TABLE stores (
    store_id int PRIMARY KEY, name text NOT NULL, region text NOT NULL,
    prefecture text NOT NULL, opened_on date, closed_on date);
CREATE TABLE categories (
    category_id int PRIMARY KEY, parent_id int REFERENCES categories, title text NOT NULL);
CREATE TABLE products (
    product_id serial PRIMARY KEY, sku text UNIQUE NOT NULL, title text NOT NULL,
    category_id int REFERENCES categories, price yen NOT NULL, stock int NOT NULL DEFAULT 0,
    discontinued boolean NOT NULL DEFAULT false, specs jsonb NOT NULL DEFAULT '{}',
    updated_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE campaigns (
    campaign_id int PRIMARY KEY, title text NOT NULL, channel text NOT NULL,
    starts_on date, ends_on date, budget yen);

CREATE TABLE staff (
    staff_id int PRIMARY KEY, login citext UNIQUE NOT NULL, name text NOT NULL,
    email text, phone text, department text, store_id int REFERENCES stores,
    active boolean NOT NULL DEFAULT true);

CREATE TABLE customers (
    customer_id serial PRIMARY KEY, customer_no text UNIQUE NOT NULL,
    name text NOT NULL, kana text, birth_date date, sex text,
    email citext UNIQUE, phone text, postal_code text, prefecture text, address text,
    store_id int REFERENCES stores, rank member_rank NOT NULL DEFAULT 'regular',
    points int NOT NULL DEFAULT 0, status text NOT NULL DEFAULT 'active', memo text,
    attributes jsonb NOT NULL DEFAULT '{}',
    search tsvector GENERATED ALWAYS AS (to_tsvector('simple', name || ' ' || coalesce(kana, ''))) STORED,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX customers_phone ON customers (phone);
CREATE INDEX customers_name_trgm ON customers USING gin (name gin_trgm_ops);
CREATE INDEX customers_search ON customers USING gin (search);
CREATE INDEX customers_store ON customers (store_id, rank);

CREATE TABLE addresses (
    address_id serial PRIMARY KEY, customer_id int NOT NULL REFERENCES customers ON DELETE CASCADE,
    kind text NOT NULL, postal_code text, prefecture text, city text, street text,
    building text, is_default boolean NOT NULL DEFAULT false);
CREATE INDEX ON addresses (customer_id);
CREATE TABLE contacts (
    contact_id serial PRIMARY KEY, customer_id int NOT NULL REFERENCES customers ON DELETE CASCADE,
    channel text NOT NULL, value text NOT NULL, verified_at timestamptz);
CREATE INDEX ON contacts (customer_id);
CREATE TABLE consents (
    customer_id int NOT NULL REFERENCES customers ON DELETE CASCADE, purpose text NOT NULL,
    granted boolean NOT NULL, changed_at timestamptz NOT NULL DEFAULT now(),
    changed_by int REFERENCES staff, PRIMARY KEY (customer_id, purpose));

CREATE SEQUENCE order_numbers START 5000;
CREATE TABLE orders (
    order_id bigint NOT NULL DEFAULT nextval('order_numbers'),
    customer_id int NOT NULL REFERENCES customers, store_id int NOT NULL REFERENCES stores,
    ordered_at timestamptz NOT NULL DEFAULT now(), status text NOT NULL DEFAULT 'new',
    total yen NOT NULL DEFAULT 0, campaign_id int REFERENCES campaigns,
    ship_name text, ship_address text, note text,
    PRIMARY KEY (order_id, ordered_at)) PARTITION BY RANGE (ordered_at);
CREATE TABLE orders_2026_01 PARTITION OF orders FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE orders_2026_02 PARTITION OF orders FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
CREATE TABLE orders_2026_03 PARTITION OF orders FOR VALUES FROM ('2026-03-01') TO ('2026-04-01');
CREATE TABLE orders_2026_04 PARTITION OF orders FOR VALUES FROM ('2026-04-01') TO ('2026-05-01');
CREATE TABLE orders_2026_05 PARTITION OF orders FOR VALUES FROM ('2026-05-01') TO ('2026-06-01');
CREATE TABLE orders_2026_06 PARTITION OF orders FOR VALUES FROM ('2026-06-01') TO ('2026-07-01');
CREATE TABLE orders_later PARTITION OF orders DEFAULT;
CREATE INDEX ON orders (customer_id);
CREATE TABLE order_items (
    order_id bigint NOT NULL, line_no int NOT NULL, product_id int NOT NULL REFERENCES products,
    quantity int NOT NULL, price yen NOT NULL, PRIMARY KEY (order_id, line_no));
CREATE TABLE payments (
    payment_id serial PRIMARY KEY, order_id bigint NOT NULL,
    customer_id int NOT NULL REFERENCES customers, method text NOT NULL, amount yen NOT NULL,
    card_holder text, card_last4 text, paid_at timestamptz);

CREATE TABLE tickets (
    ticket_id serial PRIMARY KEY, customer_id int REFERENCES customers,
    staff_id int REFERENCES staff, subject text NOT NULL, body text,
    state ticket_state NOT NULL DEFAULT 'open', priority int NOT NULL DEFAULT 3,
    opened_at timestamptz NOT NULL DEFAULT now(), closed_at timestamptz);
CREATE TABLE call_logs (
    call_id serial PRIMARY KEY, customer_id int REFERENCES customers,
    staff_id int REFERENCES staff, caller_phone text, direction text NOT NULL DEFAULT 'in',
    started_at timestamptz NOT NULL DEFAULT now(), seconds int, result text, note text);
CREATE TABLE campaign_targets (
    campaign_id int NOT NULL REFERENCES campaigns, customer_id int NOT NULL REFERENCES customers,
    email text, sent_at timestamptz, opened_at timestamptz, PRIMARY KEY (campaign_id, customer_id));
CREATE TABLE web_sessions (
    session_id uuid PRIMARY KEY DEFAULT gen_random_uuid(), customer_id int NOT NULL REFERENCES customers,
    email citext NOT NULL, ip inet, user_agent text, created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL);
CREATE TABLE audit_log (
    audit_id bigserial PRIMARY KEY, at timestamptz NOT NULL DEFAULT now(), staff_id int,
    table_name text NOT NULL, customer_id int, action text NOT NULL, old_row jsonb, new_row jsonb);
CREATE TABLE jobs (
    job_id serial PRIMARY KEY, queue text NOT NULL, payload jsonb NOT NULL DEFAULT '{}',
    run_at timestamptz NOT NULL DEFAULT now(), attempts int NOT NULL DEFAULT 0,
    locked_by text, done_at timestamptz);
CREATE TABLE app_settings (key text PRIMARY KEY, value text, updated_at timestamptz DEFAULT now());
CREATE TABLE exchange_rates (day date, currency text, rate numeric, PRIMARY KEY (day, currency));
CREATE TABLE schema_migrations (version text PRIMARY KEY, applied_at timestamptz DEFAULT now());
-- In nobody's catalogue: an import that somebody left behind.
CREATE TABLE import_2019 (line int, full_name text, tel text);

CREATE VIEW v_customer_card AS
    SELECT c.customer_id, c.customer_no, c.name, c.kana, c.phone, c.rank, s.name AS store
    FROM customers c LEFT JOIN stores s USING (store_id);
CREATE VIEW v_open_tickets AS
    SELECT t.ticket_id, t.customer_id, t.state, t.priority, t.opened_at, t.subject
    FROM tickets t WHERE t.state IN ('open', 'waiting');
CREATE VIEW v_sales AS
    SELECT date_trunc('month', o.ordered_at) AS month, o.store_id, i.product_id,
        sum(i.quantity) AS pieces, sum(i.quantity * i.price) AS amount
    FROM orders o JOIN order_items i USING (order_id) GROUP BY 1, 2, 3;

CREATE FUNCTION age_band(date) RETURNS text LANGUAGE sql STABLE AS
    $$ SELECT (extract(year FROM age('2026-07-01', $1))::int / 10 * 10)::text || 's' $$;
CREATE FUNCTION with_tax(numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT round($1 * 1.1)';
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN NEW.updated_at := now(); RETURN NEW; END';
CREATE TRIGGER touch BEFORE UPDATE ON products FOR EACH ROW EXECUTE FUNCTION touch();

-- data
INSERT INTO stores SELECT g, 'Store ' || g, (ARRAY['East', 'West', 'North'])[g % 3 + 1],
    (ARRAY['Tokyo', 'Osaka', 'Hokkaido', 'Fukuoka'])[g % 4 + 1], date '2010-04-01' + g * 100, NULL
    FROM generate_series(1, 6) g;
INSERT INTO categories SELECT g, CASE WHEN g > 3 THEN g % 3 + 1 END, 'Category ' || g
    FROM generate_series(1, 9) g;
INSERT INTO products (sku, title, category_id, price, stock, discontinued, specs)
    SELECT 'SKU-' || to_char(g, 'FM0000'), (ARRAY['Desk', 'Chair', 'Lamp', 'Shelf', 'Sofa'])[g % 5 + 1]
    || ' ' || g, g % 9 + 1, g * 120, g * 3 % 50, g % 13 = 0, jsonb_build_object('kg', g, 'colour', g % 4)
    FROM generate_series(1, 60) g;
INSERT INTO campaigns SELECT g, 'Campaign ' || g, (ARRAY['mail', 'sms', 'post'])[g % 3 + 1],
    date '2026-01-01' + g * 20, date '2026-01-20' + g * 20, g * 100000 FROM generate_series(1, 6) g;
INSERT INTO staff SELECT g, 'staff' || g, (ARRAY['前田', '小川', '藤井', '岡田'])[g % 4 + 1] || ' '
    || (ARRAY['誠', '恵', '亮'])[g % 3 + 1], 'staff' || g || '@shop.example', '03-0000-' || to_char(g, 'FM0000'),
    (ARRAY['desk', 'sales', 'warehouse'])[g % 3 + 1], g % 6 + 1, g % 11 <> 0 FROM generate_series(1, 24) g;
INSERT INTO customers (customer_no, name, kana, birth_date, sex, email, phone, postal_code, prefecture,
    address, store_id, rank, points, status, memo, attributes, created_at, updated_at)
    SELECT 'C' || to_char(g, 'FM000000'),
    (ARRAY['佐藤', '鈴木', '高橋', '田中', '伊藤', '渡辺', '山本', '中村', '小林', '加藤'])[g % 10 + 1] || ' '
    || (ARRAY['一郎', '花子', '健', '美咲', '大輔', '陽子', '翔'])[g % 7 + 1],
    (ARRAY['サトウ', 'スズキ', 'タカハシ', 'タナカ', 'イトウ', 'ワタナベ', 'ヤマモト', 'ナカムラ', 'コバヤシ', 'カトウ'])[g % 10 + 1]
    || ' ' || (ARRAY['イチロウ', 'ハナコ', 'ケン', 'ミサキ', 'ダイスケ', 'ヨウコ', 'ショウ'])[g % 7 + 1],
    date '1945-01-01' + g * 37, (ARRAY['m', 'f'])[g % 2 + 1], 'c' || g || '@mail.example',
    '090-' || to_char(g / 100, 'FM0000') || '-' || to_char(g % 100, 'FM0000'), to_char(1000000 + g, 'FM0000000'),
    (ARRAY['Tokyo', 'Osaka', 'Hokkaido', 'Fukuoka'])[g % 4 + 1], g || ' Chuo', g % 6 + 1,
    (ARRAY['regular', 'silver', 'gold', 'platinum'])[1 + (g % 17 = 0)::int + (g % 34 = 0)::int + (g % 68 = 0)::int]::member_rank,
    g * 11 % 500, CASE WHEN g % 29 = 0 THEN 'left' ELSE 'active' END,
    CASE WHEN g % 9 = 0 THEN 'calls in the evening' END,
    jsonb_build_object('dm', g % 3 = 0, 'shoe', 22 + g % 7), timestamptz '2025-01-01' + g * interval '12 hours',
    timestamptz '2026-01-01' + g * interval '3 hours' FROM generate_series(1, 600) g;
INSERT INTO addresses (customer_id, kind, postal_code, prefecture, city, street, building, is_default)
    SELECT g, 'home', to_char(1000000 + g, 'FM0000000'), (ARRAY['Tokyo', 'Osaka', 'Hokkaido', 'Fukuoka'])[g % 4 + 1],
    'City ' || g % 20, g || '-1', NULL, true FROM generate_series(1, 600) g;
INSERT INTO addresses (customer_id, kind, postal_code, prefecture, city, street, is_default)
    SELECT g, 'office', '9000001', 'Tokyo', 'City 1', g || '-9', false FROM generate_series(5, 600, 5) g;
INSERT INTO contacts (customer_id, channel, value, verified_at)
    SELECT g, k, CASE k WHEN 'email' THEN 'c' || g || '@mail.example' ELSE '090-' || g END,
    CASE WHEN g % 4 = 0 THEN timestamptz '2026-02-01' END
    FROM generate_series(1, 600) g, unnest(ARRAY['email', 'phone']) k;
INSERT INTO consents SELECT g, p, (g + length(p)) % 3 <> 0, timestamptz '2025-06-01' + g * interval '1 hour', g % 24 + 1
    FROM generate_series(1, 600) g, unnest(ARRAY['mail', 'phone', 'partners']) p;
INSERT INTO orders SELECT g, g * 7 % 600 + 1, g % 6 + 1, timestamptz '2026-01-01 10:00+09' + g * interval '170 minutes',
    (ARRAY['new', 'paid', 'shipped', 'done', 'done', 'cancelled'])[g % 6 + 1], g % 90 * 100 + 500,
    CASE WHEN g % 5 = 0 THEN g % 6 + 1 END, 'Recipient ' || g, g || ' Street', NULL
    FROM generate_series(1, 1500) g;
INSERT INTO order_items SELECT g, l, (g * 3 + l * 5) % 60 + 1, l, 100 * l FROM generate_series(1, 1500) g, generate_series(1, 2) l;
INSERT INTO payments (order_id, customer_id, method, amount, card_holder, card_last4, paid_at)
    SELECT g, g * 7 % 600 + 1, (ARRAY['card', 'bank', 'cash'])[g % 3 + 1], g % 90 * 100 + 500,
    CASE WHEN g % 3 = 0 THEN 'HOLDER ' || g END, CASE WHEN g % 3 = 0 THEN to_char(g, 'FM0000') END,
    timestamptz '2026-01-02' + g * interval '170 minutes' FROM generate_series(1, 1500) g;
INSERT INTO tickets (customer_id, staff_id, subject, body, state, priority, opened_at, closed_at)
    SELECT g * 3, g % 24 + 1, 'Question ' || g, 'Body of ' || g,
    (ARRAY['open', 'waiting', 'solved', 'closed']::ticket_state[])[g % 4 + 1], g % 5 + 1,
    timestamptz '2026-03-01' + g * interval '9 hours',
    CASE WHEN g % 4 > 1 THEN timestamptz '2026-03-02' + g * interval '9 hours' END FROM generate_series(1, 200) g;
INSERT INTO call_logs (customer_id, staff_id, caller_phone, direction, started_at, seconds, result, note)
    SELECT g % 600 + 1, g % 24 + 1, '090-' || g, (ARRAY['in', 'out'])[g % 2 + 1], timestamptz '2026-05-01' + g * interval '30 minutes',
    g % 600, (ARRAY['solved', 'call back', 'transferred'])[g % 3 + 1], 'note ' || g FROM generate_series(1, 400) g;
INSERT INTO campaign_targets SELECT g % 6 + 1, g, 'c' || g || '@mail.example', timestamptz '2026-04-01',
    CASE WHEN g % 4 = 0 THEN timestamptz '2026-04-02' END FROM generate_series(1, 600) g;
INSERT INTO web_sessions (customer_id, email, ip, user_agent, created_at, expires_at)
    SELECT g, 'c' || g || '@mail.example', '192.0.2.1'::inet + g % 200, 'Browser', timestamptz '2026-06-01',
    timestamptz '2026-06-02' + g * interval '1 hour' FROM generate_series(1, 150) g;
INSERT INTO audit_log (at, staff_id, table_name, customer_id, action, old_row, new_row)
    SELECT timestamptz '2026-05-01' + g * interval '1 hour', g % 24 + 1, 'customers', g, 'UPDATE',
    jsonb_build_object('phone', '090-' || g), jsonb_build_object('phone', '080-' || g) FROM generate_series(1, 300) g;
INSERT INTO jobs (queue, payload, run_at) SELECT 'mail', jsonb_build_object('template', g % 3),
    timestamptz '2026-06-01' + g * interval '1 minute' FROM generate_series(1, 40) g;
INSERT INTO app_settings VALUES ('tax', '0.10'), ('currency', 'JPY'), ('maintenance', 'off');
INSERT INTO exchange_rates SELECT date '2026-01-01' + g, 'USD', 150 + g % 5 FROM generate_series(0, 90) g;
INSERT INTO schema_migrations (version) VALUES ('20250101000000'), ('20250301000000');
INSERT INTO import_2019 SELECT g, 'Name ' || g, '03-' || g FROM generate_series(1, 50) g;

CREATE MATERIALIZED VIEW daily_sales AS
    SELECT ordered_at::date AS day, store_id, count(*) AS orders, sum(total) AS amount
    FROM orders GROUP BY 1, 2;
CREATE UNIQUE INDEX ON daily_sales (day, store_id);
VACUUM ANALYZE;
