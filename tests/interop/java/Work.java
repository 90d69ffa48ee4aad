// SPDX-License-Identifier: Apache-2.0
// What an application does through pgjdbc: java -cp postgresql.jar Work.java URL USER PASSWORD
import java.io.StringReader;
import java.sql.*;
import java.util.Properties;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyManager;

public class Work {
	static int cases;

	static void check(boolean ok, String what)
	{
		if (!ok)
			throw new RuntimeException("failed: " + what);
		cases++;
	}

	static Connection open(String[] a, String... more) throws SQLException
	{
		Properties p = new Properties();
		p.setProperty("user", a[1]);
		p.setProperty("password", a[2]);
		for (int i = 0; i < more.length; i += 2)
			p.setProperty(more[i], more[i + 1]);
		return DriverManager.getConnection(a[0], p);
	}

	static void prepared(Connection c) throws SQLException
	{
		try (PreparedStatement s = c.prepareStatement(
		    "SELECT note, total FROM orders WHERE order_id = ?")) {
			for (int i = 1; i <= 20; i++) {	// becomes a server statement at 5
				s.setInt(1, i);
				ResultSet r = s.executeQuery();
				check(r.next() && r.getString(1).startsWith("note"),
				    "prepared " + i);
			}
		}
		try (PreparedStatement s = c.prepareStatement(
		    "SELECT name FROM customers WHERE customer_id = ?")) {
			for (int i = 1; i <= 20; i++) {
				s.setInt(1, i);
				ResultSet r = s.executeQuery();
				check(r.next() && r.getString(1).length() == 8,
				    "personal " + i);
				check(r.getMetaData().getColumnCount() == 1,
				    "one column");
			}
		}
	}

	static void fetchSize(Connection c) throws SQLException
	{
		c.setAutoCommit(false);
		try (Statement s = c.createStatement()) {
			s.setFetchSize(50);
			ResultSet r = s.executeQuery(
			    "SELECT customer_id, name FROM customers ORDER BY 1");
			int n = 0;
			while (r.next())
				check(r.getInt(1) == ++n, "row " + n);
			check(n == 1000, "1000 rows by portals of 50");
		}
		c.commit();
		c.setAutoCommit(true);
	}

	static void batch(Connection c) throws SQLException
	{
		c.setAutoCommit(false);
		try (PreparedStatement s = c.prepareStatement(
		    "INSERT INTO orders VALUES (?, ?, ?, ?)")) {
			for (int i = 0; i < 500; i++) {
				s.setInt(1, 100000 + i);
				s.setInt(2, 1 + i % 1000);
				s.setInt(3, i);
				s.setString(4, "batch");
				s.addBatch();
			}
			for (int n : s.executeBatch())
				check(n == 1, "batch");
		}
		try (Statement s = c.createStatement();
		    ResultSet k = s.executeQuery(
		    "SELECT count(*) FROM orders WHERE note = 'batch'")) {
			k.next();
			check(k.getInt(1) == 500, "500 rows");
		}
		c.rollback();
		c.setAutoCommit(true);
	}

	static void transaction(Connection c) throws SQLException
	{
		c.setAutoCommit(false);
		try (Statement s = c.createStatement()) {
			s.executeUpdate("UPDATE orders SET note = 'x' WHERE order_id = 1");
			Savepoint p = c.setSavepoint();
			try {
				s.executeQuery("SELECT 1 / 0");
				check(false, "no error");
			} catch (SQLException e) {
				check(e.getSQLState().equals("22012"), e.getSQLState());
			}
			c.rollback(p);
			ResultSet r = s.executeQuery(
			    "SELECT note FROM orders WHERE order_id = 1");
			r.next();
			check(r.getString(1).equals("x"), "savepoint");
		}
		c.rollback();
		c.setAutoCommit(true);
	}

	static void metadata(Connection c) throws SQLException
	{
		DatabaseMetaData m = c.getMetaData();
		check(m.getDatabaseMajorVersion() >= 15, "version");
		int n = 0;
		try (ResultSet r = m.getColumns(null, "public", "customers", null)) {
			while (r.next())
				n++;
		}
		check(n == 13, "13 columns of customers, not " + n);
		try (ResultSet r = m.getPrimaryKeys(null, "public", "customers")) {
			check(r.next() && r.getString(4).equals("customer_id"), "key");
		}
		try (ResultSet r = m.getImportedKeys(null, "public", "orders")) {
			check(r.next(), "foreign key");
		}
		try (ResultSet r = m.getTables(null, "public", "%",
		    new String[] {"TABLE", "VIEW"})) {
			check(r.next(), "tables");
		}
		try (ResultSet r = m.getIndexInfo(null, "public", "orders", false,
		    false)) {
			check(r.next(), "indexes");
		}
		m.getTypeInfo().close();
		m.getSchemas().close();
		m.getFunctions(null, "public", "%").close();
	}

	static void copy(Connection c) throws Exception
	{
		CopyManager m = c.unwrap(PGConnection.class).getCopyAPI();
		java.io.StringWriter w = new java.io.StringWriter();
		long n = m.copyOut("COPY products TO STDOUT", w);
		check(n == 50, "copy out");
		c.setAutoCommit(false);
		n = m.copyIn("COPY products FROM STDIN",
		    new StringReader("900\tnew\t1\n901\tnewer\t2\n"));
		check(n == 2, "copy in");
		c.rollback();
		c.setAutoCommit(true);
	}

	static void cancel(Connection c) throws Exception
	{
		try (Statement s = c.createStatement()) {
			s.setQueryTimeout(1);
			try {
				s.execute("SELECT pg_sleep(30)");
				check(false, "not cancelled");
			} catch (SQLException e) {
				check(e.getSQLState().equals("57014"), e.getSQLState());
			}
			s.setQueryTimeout(0);
			check(s.execute("SELECT 1"), "after cancel");
		}
	}

	public static void main(String[] a) throws Exception
	{
		String[][] modes = {
			{},
			{"prepareThreshold", "1", "binaryTransfer", "true"},
			{"preferQueryMode", "simple"},
			{"preferQueryMode", "extendedCacheEverything"},
			{"sslmode", "require"},
		};
		for (String[] mode : modes) {
			if (mode.length > 0 && mode[0].equals("sslmode") && a.length < 4)
				continue;
			try (Connection c = open(a, mode)) {
				prepared(c);
				fetchSize(c);
				batch(c);
				transaction(c);
				metadata(c);
				copy(c);
			}
		}
		try (Connection c = open(a)) {
			cancel(c);
		}
		System.out.println("done " + cases);
	}
}
