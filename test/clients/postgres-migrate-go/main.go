// golang-migrate's migrations: `main up|down golang <url>`. Prints `ok`.
package main

import (
	"embed"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/golang-migrate/migrate/v4"
	_ "github.com/golang-migrate/migrate/v4/database/pgx/v5"
	"github.com/golang-migrate/migrate/v4/source/iofs"
)

//go:embed migrations/*.sql
var files embed.FS

func must(err error) {
	if err != nil && !errors.Is(err, migrate.ErrNoChange) {
		panic(err)
	}
}

func main() {
	direction, url := os.Args[1], os.Args[3]
	source, err := iofs.New(files, "migrations")
	must(err)
	url = strings.Replace(url, "postgres://", "pgx5://", 1) + "?sslmode=disable&x-migrations-table=golang_done"
	migration, err := migrate.NewWithSourceInstance("iofs", source, url)
	must(err)
	if direction == "up" {
		must(migration.Up())
	} else {
		must(migration.Down())
	}
	fmt.Println("ok")
}
