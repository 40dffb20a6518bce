import java.math.BigDecimal;
import java.sql.SQLException;
import java.time.Instant;
import java.time.LocalDate;
import java.util.UUID;

/** What both clients write and find again. */
final class Values {
  static final String EMAIL = "ann@club.example";
  static final int CODE = -7;
  static final BigDecimal CREDIT = new BigDecimal("1234567890.05");
  static final LocalDate BORN = LocalDate.of(1984, 2, 29);
  static final Instant SEEN = Instant.parse("2026-02-03T04:05:06.789012Z");
  static final UUID REF = UUID.fromString("7d444840-9dc0-11d1-b245-5ffdce74fad2");
  static final String NOTE = "likes tea & scones";

  private Values() {}

  interface Work {
    void run() throws Exception;
  }

  static void equal(String what, Object got, Object wanted) {
    if (!java.util.Objects.equals(got, wanted)) throw new AssertionError(what + ": " + got + ", not " + wanted);
  }

  /** Fails with this SQLSTATE, and says nothing of values. */
  static void refused(String state, Work work) throws Exception {
    try {
      work.run();
    } catch (Exception error) {
      Throwable cause = error;
      while (cause != null && !(cause instanceof SQLException)) cause = cause.getCause();
      if (!(cause instanceof SQLException said)) throw error;
      if (said instanceof java.sql.BatchUpdateException && said.getNextException() != null) said = said.getNextException();
      equal("SQLSTATE of " + said.getMessage(), said.getSQLState(), state);
      if (String.valueOf(said.getMessage()).contains("@club.example")) throw new AssertionError(said.getMessage());
      return;
    }
    throw new AssertionError("was not refused");
  }
}
