# SPDX-License-Identifier: Apache-2.0
# Ruby's pg: ruby work.rb HOST PORT ACTOR SMALL PASSWORD
require 'pg'

HOST, PORT, ACTOR, SMALL, PASSWORD = ARGV

def ok(yes, what)
  abort what unless yes
end

def session(user, database)
  PG.connect(host: HOST, port: PORT, user: user, password: PASSWORD, dbname: database)
end

def values(c)
  r = c.exec_params('SELECT $1::int[], $2::text, $3::jsonb, $4::text, true',
                    ['{1,2}', nil, '{"k": 1}', '東京'])
  ok r.values == [['{1,2}', nil, '{"k": 1}', '東京', 't']], 'values'
end

def cancelled(c)
  c.send_query('SELECT pg_sleep(20)')
  sleep 0.3
  c.cancel
  begin
    c.get_last_result
    abort 'not cancelled'
  rescue PG::QueryCanceled
    ok c.exec('SELECT 1').getvalue(0, 0).to_s == '1', 'after the cancel'
  end
end

c = session(ACTOR, 'crm')
values(c)
c.prepare('one', 'SELECT name, birth_date FROM customers WHERE customer_id = $1')
c.type_map_for_results = PG::BasicTypeMapForResults.new(c)
(1..20).each do |i|
  r = c.exec_prepared('one', [i])
  ok r[0]['name'].length == 8 && r[0]['birth_date'].year >= 1930, "look-up #{i}"
end
ok c.describe_prepared('one').nfields == 2, 'describe'
ok c.exec('SELECT * FROM customers').ntuples == 1000, 'all'
begin
  c.transaction do
    c.exec("UPDATE orders SET note = 'x' WHERE order_id = 1")
    c.exec('SAVEPOINT s')
    begin
      c.exec('SELECT 1 / 0')
      abort 'no error'
    rescue PG::DivisionByZero
      c.exec('ROLLBACK TO s')
    end
    ok c.exec('SELECT note FROM orders WHERE order_id = 1')[0]['note'] == 'x', 'update'
    c.copy_data('COPY products FROM STDIN') do
      500.times { |i| c.put_copy_data("#{6000 + i}\tx\t1\n") }
    end
    ok c.exec('SELECT count(*) FROM products').getvalue(0, 0) == 550, 'copy in'
    raise 'undo'
  end
rescue RuntimeError => e
  ok e.message == 'undo', e.message
end
n = 0
c.copy_data('COPY (SELECT customer_id, name FROM customers) TO STDOUT') do
  n += 1 while c.get_copy_data
end
ok n == 1000, "copy out: #{n}"
n = 0
c.send_query('SELECT name FROM customers')
c.set_single_row_mode
c.get_result.stream_each { n += 1 }
c.get_last_result
ok n == 1000, "single rows: #{n}"
c.transaction do
  c.exec('DECLARE k CURSOR FOR SELECT name FROM customers')
  ok c.exec('FETCH 300 FROM k').ntuples == 300, 'cursor'
end
begin
  c.exec("INSERT INTO products VALUES (1, 'dup', 1)")
  abort 'no error'
rescue PG::UniqueViolation => e
  ok e.result.error_field(PG::PG_DIAG_CONSTRAINT_NAME) == 'products_pkey', 'constraint'
end
c.pipeline_sync if c.respond_to?(:enter_pipeline_mode) && begin
  c.enter_pipeline_mode
  50.times { |i| c.send_query_params('SELECT $1::int', [i]) }
  true
end
50.times do |i|
  ok c.get_result.getvalue(0, 0) == i, 'pipeline'
  c.get_result
end
c.get_result
c.exit_pipeline_mode
cancelled(c)
c.finish

c = session(SMALL, 'crm')
begin
  c.exec('SELECT name FROM customers')
  abort 'a short result'
rescue PG::Error => e
  ok e.result.error_field(PG::PG_DIAG_SQLSTATE) == 'KB001', e.message
end
c.finish

c = session(ACTOR, 'plain')
d = session(ACTOR, 'plain')
values(c)
cancelled(c)
c.exec('LISTEN news')
d.exec("NOTIFY news, 'hello'")
got = nil
c.wait_for_notify(5) { |channel, pid, payload| got = [channel, pid, payload] }
ok got == ['news', d.backend_pid, 'hello'], got.inspect
puts "ruby-pg #{PG::VERSION}"
