"""psycopg 3 and asyncpg over sealed columns: COPY both ways, server-side cursors, prepared statements. Prints `ok`."""

import asyncio
import sys

import asyncpg
import psycopg

URL = sys.argv[1]
ROWS = [(n, f"mail{n}@x.org", f"note\t{n}\\ and \"more\"", n - 5) for n in range(1, 301)]
NULLS = [(1001, None, None, None), (1002, "", "", 0)]
COLUMNS = "id, mail, note, score"


def with_psycopg() -> None:
    with psycopg.connect(URL) as connection:
        with connection.cursor() as cursor:
            with cursor.copy(f"COPY people ({COLUMNS}) FROM STDIN") as copy:
                for row in ROWS + NULLS:
                    copy.write_row(row)
            with cursor.copy(f"COPY (SELECT {COLUMNS} FROM people ORDER BY id) TO STDOUT") as copy:
                copy.set_types(["int4", "text", "text", "int4"])
                assert list(copy.rows()) == ROWS + NULLS
            cursor.execute("TRUNCATE people")
            with cursor.copy(f"COPY people ({COLUMNS}) FROM STDIN (FORMAT binary)") as copy:
                copy.set_types(["int4", "text", "text", "int4"])
                for row in ROWS + NULLS:
                    copy.write_row(row)
            with cursor.copy(f"COPY people ({COLUMNS}) TO STDOUT (FORMAT binary)") as copy:
                copy.set_types(["int4", "text", "text", "int4"])
                assert list(copy.rows()) == ROWS + NULLS
        for binary in (False, True):
            with connection.cursor(name="named", binary=binary) as cursor:
                cursor.itersize = 70
                cursor.execute(f"SELECT {COLUMNS} FROM people WHERE score = ANY(%s) OR id > %s ORDER BY id", ([1, 2], 10))
                rows = list(cursor)
                assert rows == [row for row in ROWS + NULLS if row[3] in (1, 2) or row[0] > 10], (binary, rows[:8])
        with connection.cursor(name="held", withhold=True, scrollable=True) as cursor:
            cursor.execute("SELECT mail FROM people ORDER BY id")
            assert cursor.fetchone() == ("mail1@x.org",)
            connection.commit()
            assert cursor.fetchmany(2) == [("mail2@x.org",), ("mail3@x.org",)]
            cursor.scroll(1, mode="absolute")
            assert cursor.fetchone() == ("mail2@x.org",)
        try:
            with connection.cursor().copy("COPY people (id, score) FROM STDIN") as copy:
                copy.write("5001\t7\n5002\tseven\n")
            raise AssertionError("a value of a wrong type was taken")
        except psycopg.errors.InvalidTextRepresentation as error:
            assert error.diag.context == "COPY people, line 2, column score", error.diag.context
        connection.rollback()
        try:
            with connection.cursor().copy("COPY people (id, mail) FROM STDIN") as copy:
                copy.write("5001\ta\n")
                raise ValueError("the source broke")
        except ValueError:
            connection.rollback()
        assert connection.execute("SELECT count(*) FROM people WHERE id > 5000").fetchone() == (0,)
        connection.execute("PREPARE by_mail AS SELECT id FROM people WHERE mail = $1")
        assert connection.execute("EXECUTE by_mail('mail7@x.org')").fetchall() == [(7,)]
    with psycopg.connect(URL, autocommit=True) as connection, psycopg.ClientCursor(connection) as cursor:
        cursor.execute("SELECT id FROM people WHERE mail = %s", ("mail9@x.org",))
        assert cursor.fetchall() == [(9,)]


async def with_asyncpg() -> None:
    connection = await asyncpg.connect(URL)
    await connection.execute("TRUNCATE people")
    await connection.copy_records_to_table("people", records=ROWS + NULLS, columns=COLUMNS.split(", "))
    assert [tuple(row) for row in await connection.fetch(f"SELECT {COLUMNS} FROM people ORDER BY id")] == ROWS + NULLS
    got = bytearray()

    async def take(data: bytes) -> None:
        got.extend(data)

    await connection.copy_from_query("SELECT id, mail FROM people WHERE mail = $1", "mail3@x.org", output=take, format="csv")
    assert bytes(got) == b"3,mail3@x.org\n", got
    async with connection.transaction():
        seen = [row["mail"] async for row in connection.cursor("SELECT mail FROM people WHERE id <= $1 ORDER BY id", 200, prefetch=30)]
        assert seen == [row[1] for row in ROWS[:200]]
    try:
        await connection.copy_records_to_table("people", records=[(1, "twice", "", 1)], columns=COLUMNS.split(", "))
        raise AssertionError("a key was taken twice")
    except asyncpg.UniqueViolationError:
        pass
    statement = await connection.prepare("SELECT id FROM people WHERE mail = $1")
    assert await statement.fetchval("mail11@x.org") == 11
    await connection.close()


with_psycopg()
asyncio.run(with_asyncpg())
print("ok")
