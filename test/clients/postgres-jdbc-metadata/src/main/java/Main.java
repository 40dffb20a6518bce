import java.net.URI;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** All that pgjdbc's DatabaseMetaData tells of schema public, as tools that browse databases ask: `Main <url>`. */
public final class Main {
  private interface Question {
    ResultSet ask(DatabaseMetaData of) throws SQLException;
  }

  /** Its name, how much it holds, its functions' OIDs. */
  private static final Set<String> OF_ONE_DATABASE =
      Set.of(
          "TABLE_CAT", "PROCEDURE_CAT", "FUNCTION_CAT", "TYPE_CAT", "PKTABLE_CAT", "FKTABLE_CAT",
          "PAGES", "CARDINALITY", "SPECIFIC_NAME");

  public static void main(String[] words) throws Exception {
    URI url = URI.create(words[0]);
    String[] login = url.getUserInfo().split(":");
    String jdbc = "jdbc:postgresql://" + url.getHost() + ":" + url.getPort() + url.getPath();
    try (Connection on = DriverManager.getConnection(jdbc, login[0], login[1])) {
      DatabaseMetaData of = on.getMetaData();
      List<String> tables = new ArrayList<>();
      String[] types = {"TABLE", "PARTITIONED TABLE", "VIEW"};
      try (ResultSet found = of.getTables(null, "public", "%", types)) {
        while (found.next()) {
          tables.add(found.getString("TABLE_NAME"));
        }
      }
      tell("getTables", at -> at.getTables(null, "public", "%", null), of);
      tell("getColumns", at -> at.getColumns(null, "public", "%", "%"), of);
      tell("getTablePrivileges", at -> at.getTablePrivileges(null, "public", "%"), of);
      tell("getProcedures", at -> at.getProcedures(null, "public", "%"), of);
      tell("getProcedureColumns", at -> at.getProcedureColumns(null, "public", "%", "%"), of);
      tell("getFunctions", at -> at.getFunctions(null, "public", "%"), of);
      tell("getFunctionColumns", at -> at.getFunctionColumns(null, "public", "%", "%"), of);
      tell("getUDTs", at -> at.getUDTs(null, "public", "%", null), of);
      for (String table : tables) {
        tell("getPrimaryKeys " + table, at -> at.getPrimaryKeys(null, "public", table), of);
        tell("getIndexInfo " + table, at -> at.getIndexInfo(null, "public", table, false, true), of);
        tell("getImportedKeys " + table, at -> at.getImportedKeys(null, "public", table), of);
        tell("getExportedKeys " + table, at -> at.getExportedKeys(null, "public", table), of);
        tell("getBestRowIdentifier " + table, at -> at.getBestRowIdentifier(null, "public", table, 2, true), of);
        tell("getVersionColumns " + table, at -> at.getVersionColumns(null, "public", table), of);
        tell("getColumnPrivileges " + table, at -> at.getColumnPrivileges(null, "public", table, "%"), of);
        columnsOfQuery(on, table);
      }
    }
  }

  private static void tell(String name, Question question, DatabaseMetaData of) throws SQLException {
    try (ResultSet rows = question.ask(of)) {
      ResultSetMetaData columns = rows.getMetaData();
      for (int row = 1; rows.next(); row += 1) {
        StringBuilder line = new StringBuilder(name);
        for (int column = 1; column <= columns.getColumnCount(); column += 1) {
          String title = columns.getColumnName(column).toUpperCase();
          if (OF_ONE_DATABASE.contains(title)) continue;
          line.append(' ').append(title).append('=').append(rows.getString(column));
        }
        System.out.println(line);
      }
    }
  }

  /** It asks the catalog for these as well. */
  private static void columnsOfQuery(Connection on, String table) throws SQLException {
    try (var statement = on.createStatement();
        ResultSet rows = statement.executeQuery("SELECT * FROM public.\"" + table + "\" LIMIT 0")) {
      ResultSetMetaData columns = rows.getMetaData();
      for (int at = 1; at <= columns.getColumnCount(); at += 1) {
        System.out.println(
            String.join(
                " ",
                "result",
                columns.getTableName(at),
                columns.getColumnName(at),
                columns.getColumnTypeName(at),
                columns.getColumnClassName(at),
                String.valueOf(columns.getPrecision(at)),
                String.valueOf(columns.getScale(at)),
                String.valueOf(columns.isNullable(at)),
                String.valueOf(columns.isAutoIncrement(at))));
      }
    }
  }
}
