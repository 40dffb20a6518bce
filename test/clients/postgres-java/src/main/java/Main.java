import java.net.URI;

/** Java's PostgreSQL clients over sealed columns. `migrate <url>`: Hibernate makes the tables; `use <url>` works with them. Prints `ok`. */
public final class Main {
  public static void main(String[] words) throws Exception {
    java.util.logging.LogManager.getLogManager().reset();
    URI uri = URI.create(words[1]);
    String[] who = uri.getUserInfo().split(":", 2);
    String url = "jdbc:postgresql://" + uri.getHost() + ":" + uri.getPort() + uri.getPath() + "?user=" + who[0] + "&password=" + who[1];
    if (words[0].equals("migrate")) {
      WithHibernate.open(url, "create").close();
    } else {
      WithJdbc.run(url);
      WithHibernate.run(url);
    }
    System.out.println("ok");
  }
}
