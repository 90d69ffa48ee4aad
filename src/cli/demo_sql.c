/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The made-up people of the demonstration. Nobody is real: the numbers begin with
 * 000, the domain is reserved for examples, the districts do not exist. Every
 * 10,000th is a canary, a person who is only in this database.
 */
#include "cli/demo.h"

const char demo_sql_schema[] =
"create role kuraban_gate login password :'gate_password';\n"
"alter role kuraban_gate set log_min_messages = fatal;\n"
"create table customers (\n"
"  customer_id bigint primary key, name text not null, kana text not null,\n"
"  birth_date date not null, sex text not null, postal_code text not null,\n"
"  address text not null, phone text not null, email text not null);\n"
"create table products (product_id int primary key, title text, price int);\n"
"create table orders (order_id bigint primary key, product_id int, quantity int,\n"
"  ordered_on date);\n"
"create table canaries (customer_id bigint primary key);\n"
"grant select on customers, products, orders to kuraban_gate;\n"
"insert into products select n, (array['国語','算数','理科','社会','英語'])[1 + n % 5]\n"
"  || ' ' || n || '号', 500 + n * 10 from generate_series(1, 50) n;\n";

const char demo_sql_fill[] =
"set synchronous_commit = off;\n"
"insert into customers\n"
"select n,\n"
"  case when n % 10000 = 0 then '蔵番' else (array['佐藤','鈴木','高橋','田中','伊藤',\n"
"    '渡辺','山本','中村','小林','加藤','吉田','山田','佐々木','山口','松本','井上','木村',\n"
"    '林','斎藤','清水','山崎','森','池田','橋本','阿部','石川','山下','中島','石井','小川',\n"
"    '前田'])[1 + n % 31] end || ' ' ||\n"
"  case when n % 2 = 0 then (array['陽葵','凛','結菜','咲良','葵','美咲','莉子','結衣','紬',\n"
"    '杏','花','芽依','澪','楓','心春','千尋','琴音'])[1 + n / 31 % 17]\n"
"  else (array['蓮','陽翔','湊','樹','朝陽','悠真','大翔','律','颯太','健','翼','大輔','直樹',\n"
"    '拓也','翔太','和也','一郎'])[1 + n / 31 % 17] end,\n"
"  case when n % 10000 = 0 then 'クラバン' else (array['サトウ','スズキ','タカハシ','タナカ',\n"
"    'イトウ','ワタナベ','ヤマモト','ナカムラ','コバヤシ','カトウ','ヨシダ','ヤマダ','ササキ',\n"
"    'ヤマグチ','マツモト','イノウエ','キムラ','ハヤシ','サイトウ','シミズ','ヤマザキ','モリ',\n"
"    'イケダ','ハシモト','アベ','イシカワ','ヤマシタ','ナカジマ','イシイ','オガワ','マエダ'])\n"
"    [1 + n % 31] end || ' ' ||\n"
"  case when n % 2 = 0 then (array['ヒマリ','リン','ユイナ','サクラ','アオイ','ミサキ','リコ',\n"
"    'ユイ','ツムギ','アン','ハナ','メイ','ミオ','カエデ','コハル','チヒロ','コトネ'])\n"
"    [1 + n / 31 % 17]\n"
"  else (array['レン','ハルト','ミナト','イツキ','アサヒ','ユウマ','ヒロト','リツ','ソウタ','ケン',\n"
"    'ツバサ','ダイスケ','ナオキ','タクヤ','ショウタ','カズヤ','イチロウ'])[1 + n / 31 % 17] end,\n"
"  date '2003-04-02' + (n * 37 % 6200)::int,\n"
"  case when n % 2 = 0 then '女' else '男' end,\n"
"  '000-' || lpad((n * 7 % 10000)::text, 4, '0'),\n"
"  (array['東京都','大阪府','愛知県','福岡県','北海道','宮城県','広島県','神奈川県'])[1 + n % 8]\n"
"    || '架空区' || (array['桜町','緑町','本町','栄町','旭町','泉町','若葉町'])[1 + n % 7]\n"
"    || (1 + n % 9) || '-' || (1 + n % 23) || '-' || (1 + n % 31),\n"
"  '000-' || lpad((n / 10000)::text, 4, '0') || '-' || lpad((n % 10000)::text, 4, '0'),\n"
"  'c' || lpad(n::text, 8, '0') || '@demo.example'\n"
"from generate_series(1, :people) n;\n"
"insert into canaries select customer_id from customers where customer_id % 10000 = 0;\n"
"insert into orders select n, 1 + n % 50, 1 + n % 3, date '2026-04-01' + (n % 180)::int\n"
"  from generate_series(1, :people / 2) n;\n"
"create index on customers (phone);\n"
"analyze;\n";
