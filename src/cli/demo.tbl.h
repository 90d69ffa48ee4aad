/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the demonstration asks, in order, with psql as the actor:
 *
 *   STEP(kind, people, text, sql)
 *
 * kind HONEST: must succeed and show exactly `people`. DIRECT: past the gate, as
 * it was in 2014; must show everybody. TAKE: must end in a KB error; `people` is
 * not used, the budget is the bound for all of them together.
 */
STEP(DIRECT, 0, N_("without the gate: the whole table, as in 2014"),
    "select * from customers;")
STEP(HONEST, 8, N_("eight customers by number"),
    "select name, phone, address from customers where customer_id = 4101;\n"
    "select name, phone, address from customers where customer_id = 4223;\n"
    "select name, phone, address from customers where customer_id = 4305;\n"
    "select name, phone, address from customers where customer_id = 4417;\n"
    "select name, phone, address from customers where customer_id = 4529;\n"
    "select name, phone, address from customers where customer_id = 4681;\n"
    "select name, phone, address from customers where customer_id = 4703;\n"
    "select name, phone, address from customers where customer_id = 4815;\n")
STEP(HONEST, 4, N_("four customers by telephone number"),
    "select customer_id, name, email from customers where phone = '000-0000-5102';\n"
    "select customer_id, name, email from customers where phone = '000-0000-5214';\n"
    "select customer_id, name, email from customers where phone = '000-0000-5326';\n"
    "select customer_id, name, email from customers where phone = '000-0000-5438';\n")
STEP(HONEST, 0, N_("sales by product: no personal data"),
    "select title, sum(quantity * price) from orders join products using (product_id)\n"
    "group by title order by title;")
STEP(TAKE, 0, N_("the whole table"), "select * from customers;")
STEP(TAKE, 0, N_("the whole table with COPY"), "copy customers to stdout;")
STEP(TAKE, 0, N_("20,000 people in one JSON value"),
    "select json_agg(c) from customers c where customer_id <= 20000;")
STEP(TAKE, 0, N_("a cursor, 1000 at a time"),
    "begin; declare c cursor for select * from customers;\n"
    "fetch 1000 from c; fetch 1000 from c; fetch 1000 from c; commit;")
STEP(TAKE, 0, N_("pages of 50"),
    "select * from customers order by customer_id limit 50 offset 0;\n"
    "select * from customers order by customer_id limit 50 offset 50;\n"
    "select * from customers order by customer_id limit 50 offset 100;\n"
    "select * from customers order by customer_id limit 50 offset 150;\n"
    "select * from customers order by customer_id limit 50 offset 200;\n")
STEP(TAKE, 0, N_("20,000 people in one base64 value"), "select encode(convert_to(string_agg(name || phone || email, ';'), 'UTF8'),\n"
    "  'base64') from customers where customer_id <= 20000;")
STEP(TAKE, 0, N_("a copy in a temporary table, then that"),
    "create temp table t as select * from customers; select * from t;")
