// Go's PostgreSQL clients over sealed columns: pgx 5 in each of its ways to run a query, COPY, batches, LISTEN; pq over
// database/sql. Prints `ok`.
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/lib/pq"
)

type member struct {
	Name   string
	Email  string
	Code   *int32
	Credit pgtype.Numeric
	Born   pgtype.Date
	Seen   *time.Time
	Ref    pgtype.UUID
	Active *bool
	Note   *string
}

const columns = "name, email, code, credit, born, seen, ref, active, note"

func to[T any](value T) *T { return &value }

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func expect(what string, got, wanted any) {
	if !reflect.DeepEqual(got, wanted) {
		panic(fmt.Sprintf("%s: %v, not %v", what, got, wanted))
	}
}

func numeric(text string) (value pgtype.Numeric) {
	must(value.Scan(text))
	return value
}

func uuid(text string) (value pgtype.UUID) {
	must(value.Scan(text))
	return value
}

func date(year int, month time.Month, day int) pgtype.Date {
	return pgtype.Date{Time: time.Date(year, month, day, 0, 0, 0, 0, time.UTC), Valid: true}
}

var ann = member{
	Name: "Ann", Email: "ann@club.example", Code: to(int32(-7)), Credit: numeric("1234567890.05"), Born: date(1984, 2, 29),
	Seen: to(time.Date(2026, 2, 3, 4, 5, 6, 789012000, time.UTC)), Ref: uuid("7d444840-9dc0-11d1-b245-5ffdce74fad2"),
	Active: to(true), Note: to("likes tea & scones"),
}
var bob = member{Name: "Bob", Email: "bob@club.example", Code: to(int32(8)), Active: to(false)}

func (m member) values() []any {
	return []any{m.Name, m.Email, m.Code, m.Credit, m.Born, m.Seen, m.Ref, m.Active, m.Note}
}

func (m member) same(other member) {
	if m.Seen != nil && other.Seen != nil {
		expect("seen", m.Seen.UTC(), other.Seen.UTC())
		m.Seen, other.Seen = nil, nil
	}
	one, err := m.Credit.Value()
	must(err)
	two, err := other.Credit.Value()
	must(err)
	expect("credit", one, two)
	m.Credit, other.Credit = pgtype.Numeric{}, pgtype.Numeric{}
	expect("member", m, other)
}

func refused(err error, code string) {
	var said *pgconn.PgError
	var old *pq.Error
	found, text := "", fmt.Sprint(err)
	if errors.As(err, &said) {
		found, text = said.Code, text+said.Detail
	} else if errors.As(err, &old) {
		found, text = string(old.Code), text+old.Detail
	}
	expect("SQLSTATE of "+text, found, code)
	if strings.Contains(text, "@club.example") {
		panic("an error holds a value: " + text)
	}
}

const insert = "INSERT INTO members (" + columns + ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"

func withMode(ctx context.Context, url string, mode pgx.QueryExecMode) {
	config, err := pgx.ParseConfig(url)
	must(err)
	config.DefaultQueryExecMode = mode
	conn, err := pgx.ConnectConfig(ctx, config)
	must(err)
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, "DELETE FROM members")
	must(err)
	for _, m := range []member{ann, bob} {
		_, err = conn.Exec(ctx, insert, m.values()...)
		must(err)
	}
	one := func(where string, args ...any) member {
		rows, err := conn.Query(ctx, "SELECT "+columns+" FROM members WHERE "+where, args...)
		must(err)
		found, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[member])
		must(err)
		return found
	}
	// Twice: what is prepared by then is used again.
	for range 2 {
		one("email = $1", ann.Email).same(ann)
		one("code = $1", *ann.Code).same(ann)
		one("credit = $1", ann.Credit).same(ann)
		one("born = $1", ann.Born).same(ann)
		one("seen = $1", *ann.Seen).same(ann)
		one("ref = $1", ann.Ref).same(ann)
		one("code = $1", 8).same(bob)
		one("email = ANY($1) AND code <> $2", []string{ann.Email, bob.Email}, 8).same(ann)
		one("code = ANY($1)", []int32{-7, 1000}).same(ann)
	}
	var email string
	must(conn.QueryRow(ctx, "UPDATE members SET note = $1, seen = $2 WHERE email = $3 RETURNING email", "forgot an umbrella", time.Now(), bob.Email).Scan(&email))
	expect("RETURNING", email, bob.Email)
	upsert := "INSERT INTO members (name, email, note) VALUES ($1, $2, $3) ON CONFLICT (email) DO UPDATE SET note = excluded.note RETURNING note"
	var note string
	must(conn.QueryRow(ctx, upsert, "Bob", bob.Email, "likes tea & scones").Scan(&note))
	expect("upsert", note, "likes tea & scones")
	must(conn.QueryRow(ctx, "SELECT note FROM members WHERE code IS NOT DISTINCT FROM @code", pgx.NamedArgs{"code": 8}).Scan(&note))
}

func failures(ctx context.Context, conn *pgx.Conn) {
	_, err := conn.Exec(ctx, "SELECT * FROM members WHERE note LIKE $1", "%tea%")
	refused(err, "0A000")
	_, err = conn.Exec(ctx, "SELECT * FROM members WHERE born > $1", ann.Born)
	refused(err, "0A000")
	_, err = conn.Exec(ctx, "INSERT INTO members (name, email) VALUES ($1, $2)", "again", ann.Email)
	refused(err, "23505")
	_, err = conn.Exec(ctx, "INSERT INTO members (name, email) VALUES ($1, $2)", "long", strings.Repeat("x", 101))
	refused(err, "22001")
	tx, err := conn.Begin(ctx)
	must(err)
	_, err = tx.Exec(ctx, "UPDATE members SET note = 'kept' WHERE code = $1", 8)
	must(err)
	inner, err := tx.Begin(ctx)
	must(err)
	_, err = inner.Exec(ctx, "UPDATE members SET note = 'undone'")
	must(err)
	_, err = inner.Exec(ctx, "SELECT lower(email) FROM members")
	refused(err, "0A000")
	_, err = inner.Exec(ctx, "SELECT 1")
	refused(err, "25P02")
	must(inner.Rollback(ctx))
	must(tx.Commit(ctx))
	var note string
	must(conn.QueryRow(ctx, "SELECT note FROM members WHERE code = 8").Scan(&note))
	expect("what is left of the transaction", note, "kept")
}

func batches(ctx context.Context, conn *pgx.Conn) {
	batch := &pgx.Batch{}
	for n := range 40 {
		batch.Queue("INSERT INTO members (name, email, code) VALUES ($1, $2, $3)", "many", fmt.Sprintf("%d@club.example", n), 100+n)
	}
	batch.Queue("SELECT count(*) FROM members WHERE code = ANY($1)", []int32{100, 139, 140}).QueryRow(func(row pgx.Row) error {
		var many int
		must(row.Scan(&many))
		expect("a batch's rows", many, 2)
		return nil
	})
	must(conn.SendBatch(ctx, batch).Close())
	failing := &pgx.Batch{}
	failing.Queue("UPDATE members SET note = 'undone' WHERE code = 100")
	failing.Queue("SELECT upper(note) FROM members")
	failing.Queue("UPDATE members SET note = 'undone' WHERE code = 101")
	refused(conn.SendBatch(ctx, failing).Close(), "0A000")
	var left int
	must(conn.QueryRow(ctx, "SELECT count(*) FROM members WHERE note IS NOT NULL AND code IN (100, 101)").Scan(&left))
	expect("what is left of a failed batch", left, 0)
}

func copies(ctx context.Context, conn *pgx.Conn) {
	rows := make([][]any, 500)
	for n := range rows {
		rows[n] = []any{"copied", fmt.Sprintf("c%d@club.example", n), int32(1000 + n), numeric("0.5"), ann.Born, *ann.Seen, pgtype.UUID{}, true, nil}
	}
	count, err := conn.CopyFrom(ctx, pgx.Identifier{"members"}, strings.Split(columns, ", "), pgx.CopyFromRows(rows))
	must(err)
	expect("COPY", count, int64(500))
	var born pgtype.Date

	must(conn.QueryRow(ctx, "SELECT born FROM members WHERE email = $1", "c499@club.example").Scan(&born))
	expect("a copied date", born, ann.Born)

}

func pools(ctx context.Context, url string) {
	pool, err := pgxpool.New(ctx, url+"?pool_max_conns=4&default_query_exec_mode=cache_describe")
	must(err)
	defer pool.Close()
	done := make(chan error)
	for range 16 {
		go func() {
			var note string
			done <- pool.QueryRow(ctx, "SELECT note FROM members WHERE ref = $1", ann.Ref).Scan(&note)
		}()
	}
	for range 16 {
		must(<-done)
	}
}

func withPq(url string) {
	db, err := sql.Open("postgres", url+"?sslmode=disable&binary_parameters=no")
	must(err)
	defer db.Close()
	var note string
	must(db.QueryRow("SELECT note FROM members WHERE email = $1 AND born = $2", ann.Email, ann.Born.Time).Scan(&note))
	expect("by pq", note, *ann.Note)
	must(db.QueryRow("SELECT note FROM members WHERE code = ANY($1)", pq.Array([]int64{-7})).Scan(&note))
	statement, err := db.Prepare("UPDATE members SET active = $1 WHERE ref = $2")
	must(err)
	_, err = statement.Exec(nil, "7d444840-9dc0-11d1-b245-5ffdce74fad2")
	must(err)
	tx, err := db.Begin()
	must(err)
	copying, err := tx.Prepare(pq.CopyIn("members", "name", "email", "seen"))
	must(err)
	_, err = copying.Exec("pq", "pq@club.example", *ann.Seen)
	must(err)
	_, err = copying.Exec()
	must(err)
	must(copying.Close())
	must(tx.Commit())
	_, err = db.Exec("SELECT * FROM members WHERE note LIKE $1", "%tea%")
	refused(err, "0A000")
	_, err = db.Exec("INSERT INTO members (name, email) VALUES ($1, $2)", "again", ann.Email)
	refused(err, "23505")
}

func main() {
	ctx, url := context.Background(), os.Args[1]
	modes := []pgx.QueryExecMode{
		pgx.QueryExecModeCacheStatement, pgx.QueryExecModeCacheDescribe, pgx.QueryExecModeDescribeExec,
		pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol,
	}
	for _, mode := range modes {
		withMode(ctx, url, mode)
	}
	conn, err := pgx.Connect(ctx, url)
	must(err)
	defer conn.Close(ctx)
	failures(ctx, conn)
	batches(ctx, conn)
	copies(ctx, conn)
	pools(ctx, url)
	withPq(url)
	fmt.Println("ok")
}
