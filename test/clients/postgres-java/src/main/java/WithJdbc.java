import java.io.StringReader;
import java.io.StringWriter;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.sql.Types;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.postgresql.PGConnection;

/** pgjdbc: statements that become prepared and binary after some runs, batches, COPY, cursors, what tools ask the catalog. */
final class WithJdbc {
  private static final String INSERT =
      "INSERT INTO members (name, email, code, credit, born, seen, ref, active, note) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
  /** More than `prepareThreshold`: the statement is named, and its values binary, from the fifth run on. */
  private static final int RUNS = 8;

  private WithJdbc() {}

  static void run(String url) throws Exception {
    for (String options : List.of("", "&reWriteBatchedInserts=true", "&preferQueryMode=simple", "&preferQueryMode=extendedForPrepared&prepareThreshold=1", "&binaryTransfer=false")) {
      try (Connection on = DriverManager.getConnection(url + options)) {
        clear(on);
        insertAndFind(on);
        batches(on);
        failures(on);
        if (!options.contains("simple")) cursors(on);
      } catch (Throwable error) {
        throw new AssertionError("with " + options + ": " + error.getMessage(), error);
      }
    }
    try (Connection on = DriverManager.getConnection(url)) {
      copies(on);
      metadata(on);
    }
  }

  private static void clear(Connection on) throws SQLException {
    try (Statement statement = on.createStatement()) {
      statement.executeUpdate("DELETE FROM members");
    }
  }

  private static void fill(PreparedStatement insert, String email, Integer code) throws SQLException {
    insert.setString(1, "Ann");
    insert.setString(2, email);
    insert.setObject(3, code, Types.INTEGER);
    insert.setBigDecimal(4, Values.CREDIT);
    insert.setObject(5, Values.BORN);
    insert.setObject(6, OffsetDateTime.ofInstant(Values.SEEN, ZoneOffset.ofHours(2)));
    insert.setObject(7, code == Values.CODE ? Values.REF : null, Types.OTHER);
    insert.setBoolean(8, true);
    insert.setString(9, Values.NOTE);
  }

  private static void insertAndFind(Connection on) throws SQLException {
    try (PreparedStatement insert = on.prepareStatement(INSERT, Statement.RETURN_GENERATED_KEYS)) {
      for (int run = 0; run < RUNS; run++) {
        fill(insert, run == 0 ? Values.EMAIL : "many" + run + "@club.example", run == 0 ? Values.CODE : run);
        Values.equal("inserted", insert.executeUpdate(), 1);
        ResultSet keys = insert.getGeneratedKeys();
        keys.next();
        Values.equal("a key's row", keys.getString("email").endsWith("@club.example"), true);
      }
    }
    find(on, "email", Values.EMAIL);
    find(on, "code", Values.CODE);
    find(on, "ref", Values.REF);
    try (PreparedStatement find = on.prepareStatement("SELECT count(*) FROM members WHERE credit = ? AND born = ? AND seen = ? AND code = ANY (?)")) {
      for (int run = 0; run < RUNS; run++) {
        find.setBigDecimal(1, Values.CREDIT);
        find.setDate(2, java.sql.Date.valueOf(Values.BORN));
        find.setObject(3, OffsetDateTime.ofInstant(Values.SEEN, ZoneOffset.UTC));
        find.setArray(4, on.createArrayOf("int4", new Integer[] {1, 2, 99}));
        ResultSet rows = find.executeQuery();
        rows.next();
        Values.equal("found by many", rows.getInt(1), 2);
      }
    }
    try (PreparedStatement change = on.prepareStatement("UPDATE members SET note = ?, active = ? WHERE email = ? RETURNING note")) {
      for (int run = 0; run < RUNS; run++) {
        change.setString(1, "forgot an umbrella");
        change.setNull(2, Types.BOOLEAN);
        change.setString(3, "many1@club.example");
        ResultSet rows = change.executeQuery();
        rows.next();
        Values.equal("changed", rows.getString(1), "forgot an umbrella");
      }
    }
  }

  private static void find(Connection on, String column, Object value) throws SQLException {
    try (PreparedStatement find = on.prepareStatement("SELECT * FROM members WHERE " + column + " = ?")) {
      for (int run = 0; run < RUNS; run++) {
        find.setObject(1, value);
        ResultSet rows = find.executeQuery();
        rows.next();
        Values.equal("email", rows.getString("email"), Values.EMAIL);
        Values.equal("code", rows.getInt("code"), Values.CODE);
        Values.equal("credit", rows.getBigDecimal("credit"), Values.CREDIT);
        Values.equal("born", rows.getObject("born", LocalDate.class), Values.BORN);
        Values.equal("seen", rows.getObject("seen", OffsetDateTime.class).toInstant(), Values.SEEN);
        Values.equal("ref", rows.getObject("ref"), Values.REF);
        Values.equal("active", rows.getBoolean("active"), true);
        Values.equal("note", rows.getString("note"), Values.NOTE);
        Values.equal("type of born", rows.getMetaData().getColumnTypeName(rows.findColumn("born")), "date");
        Values.equal("digits of credit", rows.getMetaData().getScale(rows.findColumn("credit")), 2);
        Values.equal("more rows", rows.next(), false);
      }
      Values.equal("type of a parameter", find.getParameterMetaData().getParameterCount(), 1);
    }
  }

  private static void batches(Connection on) throws SQLException {
    try (PreparedStatement insert = on.prepareStatement(INSERT)) {
      for (int n = 0; n < 200; n++) {
        fill(insert, "batch" + n + "@club.example", 1000 + n);
        insert.addBatch();
      }
      Values.equal("a batch's length", insert.executeBatch().length, 200);
    }
    try (PreparedStatement find = on.prepareStatement("SELECT count(*) FROM members WHERE code IN (?, ?, ?)")) {
      find.setInt(1, 1000);
      find.setInt(2, 1199);
      find.setInt(3, 1200);
      ResultSet rows = find.executeQuery();
      rows.next();
      Values.equal("a batch's rows", rows.getInt(1), 2);
    }
  }

  private static void failures(Connection on) throws Exception {
    try (Statement statement = on.createStatement()) {
      Values.refused("0A000", () -> statement.executeQuery("SELECT * FROM members WHERE note LIKE '%tea%'"));
      Values.refused("0A000", () -> statement.executeQuery("SELECT * FROM members ORDER BY email"));
      Values.refused("23505", () -> statement.executeUpdate("INSERT INTO members (name, email) VALUES ('again', 'ann@club.example')"));
      Values.refused("22001", () -> statement.executeUpdate("INSERT INTO members (name, email) VALUES ('long', '" + "x".repeat(101) + "')"));
    }
    on.setAutoCommit(false);
    try (PreparedStatement insert = on.prepareStatement(INSERT);
        PreparedStatement note = on.prepareStatement("UPDATE members SET note = ? WHERE code = ?")) {
      note.setString(1, "kept");
      note.setInt(2, 1);
      note.executeUpdate();
      Savepoint savepoint = on.setSavepoint();
      for (int n = 0; n < 3; n++) {
        fill(insert, "twice@club.example", null == on ? 0 : 5000 + n);
        insert.addBatch();
      }
      Values.refused("23505", insert::executeBatch);
      on.rollback(savepoint);
      note.setString(1, "undone");
      note.setInt(2, 2);
      note.executeUpdate();
      on.rollback(savepoint);
      on.commit();
      ResultSet rows = on.createStatement().executeQuery("SELECT note FROM members WHERE code IN (1, 2) ORDER BY id");
      rows.next();
      Values.equal("kept", rows.getString(1), "kept");
      rows.next();
      Values.equal("undone", rows.getString(1), Values.NOTE);
      on.commit();
    } finally {
      on.setAutoCommit(true);
    }
  }

  /** Portals of the protocol, so many rows at a time. */
  private static void cursors(Connection on) throws SQLException {
    on.setAutoCommit(false);
    try (PreparedStatement all = on.prepareStatement("SELECT email, seen FROM members ORDER BY id")) {
      all.setFetchSize(30);
      int count = 0;
      for (ResultSet rows = all.executeQuery(); rows.next(); count++)
        Values.equal("seen", rows.getObject(2, OffsetDateTime.class).toInstant(), Values.SEEN);
      Values.equal("rows of a cursor", count, 208);
    } finally {
      on.rollback();
      on.setAutoCommit(true);
    }
    try (Statement changing = on.createStatement(ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_UPDATABLE)) {
      ResultSet rows = changing.executeQuery("SELECT id, note, code FROM members WHERE code = 3");
      rows.next();
      rows.updateString("note", "forgot an umbrella");
      rows.updateRow();
      rows.refreshRow();
      Values.equal("an updated row", rows.getString("note"), "forgot an umbrella");
    }
  }

  private static void copies(Connection on) throws Exception {
    clear(on);
    var copy = on.unwrap(PGConnection.class).getCopyAPI();
    String text = "1,Ann,a@club.example,5,1984-02-29\n2,Bob,b@club.example,,\n";
    Values.equal("COPY", copy.copyIn("COPY members (id, name, email, code, born) FROM STDIN CSV", new StringReader(text)), 2L);
    StringWriter out = new StringWriter();
    copy.copyOut("COPY (SELECT id, name, email, code, born FROM members ORDER BY id) TO STDOUT CSV", out);
    Values.equal("COPY back", out.toString(), text);
  }

  private static void metadata(Connection on) throws SQLException {
    var shown = on.getMetaData();
    Set<String> columns = new TreeSet<>();
    for (ResultSet rows = shown.getColumns(null, "public", "members", "%"); rows.next(); ) columns.add(rows.getString("COLUMN_NAME"));
    Values.equal("getColumns", columns, Set.of("id", "name", "email", "code", "credit", "born", "seen", "ref", "active", "note"));
    ResultSet keys = shown.getPrimaryKeys(null, "public", "members");
    keys.next();
    Values.equal("getPrimaryKeys", keys.getString("COLUMN_NAME"), "id");
    Set<String> unique = new TreeSet<>();
    for (ResultSet rows = shown.getIndexInfo(null, "public", "members", true, false); rows.next(); ) unique.add(rows.getString("COLUMN_NAME"));
    Values.equal("getIndexInfo", unique, Set.of("id", "email", "ref"));
    ResultSet foreign = shown.getImportedKeys(null, "public", "visits");
    foreign.next();
    Values.equal("getImportedKeys", foreign.getString("PKTABLE_NAME"), "members");
    Values.equal("getTables", shown.getTables(null, "public", "members", new String[] {"TABLE"}).next(), true);
    shown.getTypeInfo().close();
  }
}
