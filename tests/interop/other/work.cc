// SPDX-License-Identifier: Apache-2.0
// libpqxx: work HOST PORT ACTOR SMALL PASSWORD
#include <cstdlib>
#include <iostream>
#include <pqxx/pqxx>
#include <string>
#include <vector>

static void
ok(bool yes, const std::string &what)
{
	if (!yes) {
		std::cerr << what << std::endl;
		std::exit(1);
	}
}

class listener : public pqxx::notification_receiver {
public:
	std::string payload;
	int pid = 0;
	listener(pqxx::connection_base &c) : pqxx::notification_receiver(c, "news") {}
	void operator()(const std::string &text, int from) override
	{
		payload = text;
		pid = from;
	}
};

static void
values(pqxx::connection &c)
{
	pqxx::work t(c);
	pqxx::row r = t.exec_params1("SELECT $1::int[], $2::text, $3::jsonb, $4::text",
	    "{1,2}", (const char *)nullptr, "{\"k\": 1}", "東京");

	ok(r[0].as<std::string>() == "{1,2}" && r[1].is_null() && r[3].as<std::string>() == "東京",
	    "values");
}

static void
tour(pqxx::connection &c)
{
	c.prepare("one", "SELECT name FROM customers WHERE customer_id = $1");
	{
		pqxx::work t(c);

		for (int i = 1; i <= 20; i++)
			ok(t.exec_prepared1("one", i)[0].as<std::string>().size() == 8, "look-up");
		ok(t.exec("SELECT * FROM customers").size() == 1000, "all");
		t.exec0("UPDATE orders SET note = 'x' WHERE order_id = 1");
		try {
			pqxx::subtransaction s(t, "inner");

			s.exec("SELECT 1 / 0");
			ok(false, "no error");
		} catch (const pqxx::sql_error &e) {
			ok(e.sqlstate() == "22012", e.sqlstate());
		}
		ok(t.exec1("SELECT note FROM orders WHERE order_id = 1")[0].as<std::string>() == "x",
		    "update");
		{
			pqxx::stream_to out(t, "products", std::vector<std::string>{"product_id",
			    "title", "price"});

			for (int i = 0; i < 500; i++)
				out << std::make_tuple(6000 + i, std::string("品"), 1);
			out.complete();
		}
		ok(t.exec1("SELECT count(*) FROM products")[0].as<int>() == 550, "copy in");
		/* Without stream_from: that of 6.4 fails at random, with any server. */
		pqxx::icursorstream k(t, "SELECT name FROM customers", "k", 90);
		pqxx::result part;
		size_t n = 0;

		while (k >> part)
			n += part.size();
		ok(n == 1000, "cursor");
	}
	try {
		pqxx::work t(c);

		t.exec0("INSERT INTO products VALUES (1, 'dup', 1)");
		ok(false, "no error");
	} catch (const pqxx::unique_violation &) {
	}
	pqxx::nontransaction t(c);
	pqxx::pipeline p(t);
	std::vector<pqxx::pipeline::query_id> ids;

	p.retain(20);
	for (int i = 0; i < 20; i++)
		ids.push_back(p.insert("SELECT " + std::to_string(i)));
	for (int i = 0; i < 20; i++)
		ok(p.retrieve(ids[i])[0][0].as<int>() == i, "pipeline");
}

int
main(int argc, char **argv)
{
	std::string at = std::string("host=") + argv[1] + " port=" + argv[2] + " password=" + argv[5];
	pqxx::connection c(at + " dbname=crm user=" + argv[3]);

	values(c);
	tour(c);
	pqxx::connection s(at + " dbname=crm user=" + argv[4]);
	try {
		pqxx::work t(s);

		t.exec("SELECT name FROM customers");
		ok(false, "a short result");
	} catch (const pqxx::sql_error &e) {
		ok(e.sqlstate() == "KB001", e.sqlstate() + e.what());
	}
	pqxx::connection p(at + " dbname=plain user=" + argv[3]);
	pqxx::connection q(at + " dbname=plain user=" + argv[3]);
	listener l(p);

	values(p);
	{
		pqxx::work t(q);

		t.exec0("NOTIFY news, 'hello'");
		t.commit();
	}
	for (int i = 0; i < 50 && l.payload.empty(); i++)
		p.await_notification(0, 100000);
	ok(l.payload == "hello" && l.pid == q.backendpid(), "notify");
	std::cout << "libpqxx " << PQXX_VERSION_MAJOR << "." << PQXX_VERSION_MINOR << std::endl;
	return 0;
}
