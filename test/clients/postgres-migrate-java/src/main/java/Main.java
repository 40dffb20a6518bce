import java.io.OutputStream;
import java.io.PrintStream;
import java.net.URI;
import java.sql.Connection;
import java.sql.DriverManager;
import java.util.logging.LogManager;
import liquibase.Liquibase;
import liquibase.database.DatabaseFactory;
import liquibase.database.jvm.JdbcConnection;
import liquibase.resource.ClassLoaderResourceAccessor;
import org.flywaydb.core.Flyway;

/** Flyway's and Liquibase's migrations: `Main up|down <tool> <url>`. Prints `ok`. */
public final class Main {
  public static void main(String[] words) throws Exception {
    LogManager.getLogManager().reset();
    PrintStream out = System.out;
    // Liquibase tells what it does.
    System.setOut(new PrintStream(OutputStream.nullOutputStream()));
    URI url = URI.create(words[2]);
    String[] login = url.getUserInfo().split(":");
    String jdbc = "jdbc:postgresql://" + url.getHost() + ":" + url.getPort() + url.getPath();
    if (words[1].equals("flyway")) flyway(words[0], jdbc, login);
    else liquibase(words[0], jdbc, login);
    out.println("ok");
  }

  /** Of the edition that is free, which goes up and can wipe its schema. */
  private static void flyway(String direction, String url, String[] login) {
    Flyway flyway =
        Flyway.configure()
            .dataSource(url, login[0], login[1])
            .locations("classpath:flyway")
            .table("flyway_done")
            .baselineOnMigrate(true)
            .baselineVersion("0")
            .load();
    if (!direction.equals("up")) throw new IllegalArgumentException("Flyway undoes nothing");
    flyway.validateWithResult();
    flyway.migrate();
    flyway.validate();
  }

  private static void liquibase(String direction, String url, String[] login) throws Exception {
    System.setProperty("liquibase.databaseChangelogTableName", "liquibase_done");
    System.setProperty("liquibase.databaseChangelogLockTableName", "liquibase_locked");
    System.setProperty("liquibase.analytics.enabled", "false");
    try (Connection connection = DriverManager.getConnection(url, login[0], login[1])) {
      var database =
          DatabaseFactory.getInstance().findCorrectDatabaseImplementation(new JdbcConnection(connection));
      try (Liquibase liquibase =
          new Liquibase("liquibase/changelog.xml", new ClassLoaderResourceAccessor(), database)) {
        if (direction.equals("up")) liquibase.update("");
        else liquibase.rollback(2, "");
      }
    }
  }
}
