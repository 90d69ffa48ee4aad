# SPDX-License-Identifier: Apache-2.0
# Perl's DBD::Pg: perl work.pl HOST PORT ACTOR SMALL PASSWORD
use strict;
use warnings;
use utf8;
use DBI;
use DBD::Pg qw(:pg_types :async);

my ($host, $port, $actor, $small, $password) = @ARGV;

sub ok { my ($yes, $what) = @_; die "$what\n" unless $yes; }

sub session
{
	my ($user, $database, %more) = @_;
	return DBI->connect("dbi:Pg:dbname=$database;host=$host;port=$port", $user, $password,
		{ RaiseError => 1, PrintError => 0, AutoCommit => 1, pg_enable_utf8 => 1, %more });
}

sub values_tour
{
	my ($d) = @_;
	my $r = $d->selectrow_arrayref('SELECT ?::int[], ?::text, ?::jsonb, ?::text, ?::numeric, true',
		undef, [ 1, 2, 3 ], undef, '{"k": null}', "\x{6771}\x{4eac}", '12.50');
	ok("@{$r->[0]}" eq '1 2 3' && !defined $r->[1] && $r->[2] eq '{"k": null}' &&
		$r->[3] eq "\x{6771}\x{4eac}" && $r->[4] eq '12.50', 'values');
	my $s = $d->prepare('SELECT ?::bytea');
	$s->bind_param(1, "\0\xff", { pg_type => PG_BYTEA });
	$s->execute;
	ok($s->fetchrow_array eq "\0\xff", 'bytea');
}

sub cancelled
{
	my ($d) = @_;
	$d->do('SELECT pg_sleep(20)', { pg_async => PG_ASYNC });
	select undef, undef, undef, 0.3;
	ok($d->pg_cancel, 'cancelled');
	ok($d->selectrow_array('SELECT 1') == 1, 'after the cancel');
}

for my $prepare (0, 1) {
	my $d = session($actor, 'crm', pg_server_prepare => $prepare);
	values_tour($d);
	my $s = $d->prepare('SELECT name FROM customers WHERE customer_id = ?');
	for my $i (1 .. 20) {
		$s->execute($i);
		ok(length $s->fetchrow_array == 8, "look-up $i");
	}
	ok(@{ $d->selectall_arrayref('SELECT * FROM customers') } == 1000, 'all');
	ok((grep { $_ =~ /customers/ } $d->tables('', 'public', '%', 'TABLE')) > 0, 'tables');
	ok(@{ $d->column_info('', 'public', 'customers', '%')->fetchall_arrayref } == 13, 'column_info');
	ok(join(',', $d->primary_key('', 'public', 'customers')) eq 'customer_id', 'primary_key');
	ok(@{ $d->foreign_key_info(undef, undef, undef, '', 'public', 'orders')->fetchall_arrayref } == 1, 'foreign_key_info');
	$d->begin_work;
	$d->do('UPDATE orders SET note = ? WHERE order_id = ?', undef, "\x{7c73}", 1);
	$d->pg_savepoint('s');
	eval { $d->do('SELECT 1 / 0'); };
	ok($d->state eq '22012', 'division by zero');
	$d->pg_rollback_to('s');
	ok($d->selectrow_array('SELECT note FROM orders WHERE order_id = 1') eq "\x{7c73}", 'update');
	$d->do('COPY products FROM STDIN');
	$d->pg_putcopydata(($_ + 6000) . "\tx\t1\n") for 1 .. 500;
	$d->pg_putcopyend;
	ok($d->selectrow_array('SELECT count(*) FROM products') == 550, 'copy in');
	$d->rollback;
	$d->do('COPY (SELECT customer_id, name FROM customers) TO STDOUT');
	my ($n, $line) = (0, '');
	$n++ while $d->pg_getcopydata($line) >= 0;
	ok($n == 1000, "copy out: $n");
	$d->begin_work;
	$d->do('DECLARE c CURSOR FOR SELECT name FROM customers');
	ok(@{ $d->selectall_arrayref('FETCH 300 FROM c') } == 300, 'cursor');
	$d->do('CLOSE c');
	$d->commit;
	eval { $d->do("INSERT INTO products VALUES (1, 'dup', 1)"); };
	ok($d->state eq '23505', 'unique');
	cancelled($d);
	$d->disconnect;
	$d = session($small, 'crm', pg_server_prepare => $prepare);
	eval { $d->selectall_arrayref('SELECT name FROM customers'); };
	ok($d->state eq 'KB001', 'budget: ' . ($d->state // ''));
	$d->disconnect;
}
my ($c, $d) = (session($actor, 'plain'), session($actor, 'plain'));
values_tour($c);
cancelled($c);
$c->do('LISTEN news');
$d->do("NOTIFY news, 'hello'");
my $note;
for (1 .. 50) {
	last if $note = $c->pg_notifies;
	select undef, undef, undef, 0.1;
}
ok($note && $note->[0] eq 'news' && $note->[1] == $d->{pg_pid} && $note->[2] eq 'hello', 'notify');
$_->disconnect for $c, $d;
print "DBD::Pg $DBD::Pg::VERSION\n";
