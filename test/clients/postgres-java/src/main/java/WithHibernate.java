import jakarta.persistence.CascadeType;
import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.GeneratedValue;
import jakarta.persistence.GenerationType;
import jakarta.persistence.Id;
import jakarta.persistence.JoinColumn;
import jakarta.persistence.ManyToOne;
import jakarta.persistence.OneToMany;
import jakarta.persistence.OrderBy;
import jakarta.persistence.Table;
import java.math.BigDecimal;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.hibernate.Session;
import org.hibernate.SessionFactory;
import org.hibernate.annotations.ColumnDefault;
import org.hibernate.cfg.Configuration;

/** Hibernate 6: entities, HQL, batches, bulk statements, associations. */
final class WithHibernate {
  private WithHibernate() {}

  @Entity(name = "Member")
  @Table(name = "members")
  public static class Member {
    @Id @GeneratedValue(strategy = GenerationType.IDENTITY) Integer id;
    @Column(nullable = false, columnDefinition = "text") String name;
    @Column(nullable = false, unique = true, length = 100) String email;
    Integer code;
    @Column(precision = 12, scale = 2) BigDecimal credit;
    LocalDate born;
    Instant seen;
    @Column(unique = true) UUID ref;
    Boolean active;
    @Column(columnDefinition = "text") String note;
    @OneToMany(mappedBy = "member", cascade = CascadeType.ALL, orphanRemoval = true) @OrderBy("id") List<Visit> visits = new ArrayList<>();
  }

  @Entity(name = "Visit")
  @Table(name = "visits")
  public static class Visit {
    @Id @GeneratedValue(strategy = GenerationType.IDENTITY) Integer id;
    @ManyToOne(optional = false) @JoinColumn(name = "member_id") Member member;
    @Column(columnDefinition = "text") String remark;
    @Column(precision = 8, scale = 2, nullable = false) @ColumnDefault("0") BigDecimal paid = BigDecimal.ZERO;
  }

  static SessionFactory open(String url, String schema) {
    return new Configuration()
        .addAnnotatedClass(Member.class)
        .addAnnotatedClass(Visit.class)
        .setProperty("hibernate.connection.url", url)
        .setProperty("hibernate.hbm2ddl.auto", schema)
        .setProperty("hibernate.jdbc.batch_size", "20")
        .buildSessionFactory();
  }

  static void run(String url) throws Exception {
    try (SessionFactory factory = open(url, "none")) {
      factory.inTransaction(on -> on.createMutationQuery("delete from Member").executeUpdate());
      factory.inTransaction(WithHibernate::persist);
      factory.inTransaction(WithHibernate::find);
      factory.inTransaction(WithHibernate::change);
      failures(factory);
    }
  }

  private static void persist(Session on) {
    Member ann = member("Ann", Values.EMAIL, Values.CODE);
    ann.credit = Values.CREDIT;
    ann.born = Values.BORN;
    ann.seen = Values.SEEN;
    ann.ref = Values.REF;
    ann.active = true;
    ann.note = Values.NOTE;
    Visit visit = new Visit();
    visit.member = ann;
    visit.remark = "forgot an umbrella";
    ann.visits.add(visit);
    on.persist(ann);
    for (int n = 0; n < 50; n++) on.persist(member("n" + n, n + "@club.example", 100 + n));
  }

  private static Member member(String name, String email, int code) {
    Member made = new Member();
    made.name = name;
    made.email = email;
    made.code = code;
    return made;
  }

  private static void find(Session on) {
    for (String by : List.of("email = '" + Values.EMAIL + "'", "code = -7", "credit = 1234567890.05", "ref = :ref", "born = :born", "seen = :seen", "email in ('" + Values.EMAIL + "', 'x')")) {
      var query = on.createSelectionQuery("from Member where " + by, Member.class);
      if (by.contains(":ref")) query.setParameter("ref", Values.REF);
      if (by.contains(":born")) query.setParameter("born", Values.BORN);
      if (by.contains(":seen")) query.setParameter("seen", Values.SEEN);
      Member ann = query.getSingleResult();
      Values.equal(by, List.of(ann.email, ann.code, ann.credit, ann.born, ann.seen, ann.ref, ann.active, ann.note), List.of(Values.EMAIL, Values.CODE, Values.CREDIT, Values.BORN, Values.SEEN, Values.REF, true, Values.NOTE));
    }
    var joined = on.createSelectionQuery("select v.remark from Visit v join v.member m where m.code = :code", String.class);
    Values.equal("joined", joined.setParameter("code", Values.CODE).getResultList(), List.of("forgot an umbrella"));
    var many = on.createSelectionQuery("select count(distinct email) from Member where code in :codes", Long.class);
    Values.equal("many", many.setParameterList("codes", List.of(100, 149, 150)).getSingleResult(), 2L);
    var fetched = on.createSelectionQuery("from Member m left join fetch m.visits where m.note is not null", Member.class);
    Values.equal("fetched", fetched.getSingleResult().visits.get(0).remark, "forgot an umbrella");
  }

  private static void change(Session on) {
    Member some = on.createSelectionQuery("from Member where code = 100", Member.class).getSingleResult();
    some.note = "forgot an umbrella";
    some.seen = Values.SEEN;
    on.flush();
    on.refresh(some);
    Values.equal("seen", some.seen, Values.SEEN);
    int changed = on.createMutationQuery("update Member set note = :note, born = null where code in (101, 102)").setParameter("note", Values.NOTE).executeUpdate();
    Values.equal("changed", changed, 2);
    Values.equal("deleted", on.createMutationQuery("delete from Member where code <> -7").executeUpdate(), 50);
  }

  private static void failures(SessionFactory factory) throws Exception {
    Values.refused("23505", () -> factory.inTransaction(on -> on.persist(member("again", Values.EMAIL, 1))));
    Values.refused("0A000", () -> factory.inTransaction(on -> on.createSelectionQuery("from Member where note like '%tea%'", Member.class).getResultList()));
    Values.refused("0A000", () -> factory.inTransaction(on -> on.createSelectionQuery("from Member order by born", Member.class).getResultList()));
    Values.refused("0A000", () -> factory.inTransaction(on -> on.createMutationQuery("update Member set code = code + 1").executeUpdate()));
    factory.inTransaction(on -> Values.equal("left", on.createSelectionQuery("select note from Member", String.class).getSingleResult(), Values.NOTE));
  }
}
