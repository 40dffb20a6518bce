/** Random statements with constants that say their own type, and with types of extensions. */
import { sql, type Piece } from './pieces.ts';
import type { Tape } from './tape.ts';

export function typedShape(tape: Tape): Piece {
  return tape.way(
    () => typedConstants(tape),
    () => ofExtension(tape),
  );
}

/** Constants that say their own type, beside columns of it. */
const TYPED = {
  c_interval: [
    "INTERVAL '1' HOUR",
    "INTERVAL '1-2' YEAR TO MONTH",
    "INTERVAL '3 4:05' DAY TO MINUTE",
    "INTERVAL(2) '4.5678'",
    "INTERVAL '4.5678' SECOND(1)",
    "INTERVAL '-1 day'",
    "INTERVAL 'P1Y2M3DT4H5M6S'",
    "CAST('90' AS interval minute)",
    "'1'::interval day",
  ],
  c_date: ["DATE '2001-02-03'", "DATE '5-Feb-2003'", "DATE '20010203'", "DATE 'infinity'", "'1/2/2003'::date"],
  c_time: ["TIME '04:05:06.789'", "TIME(0) '04:05:06.5'", "'040506'::time", "TIME '4:05 PM'"],
  c_timetz: ["TIMETZ '04:05:06.789+02'", "TIME WITH TIME ZONE '04:05:06-8'"],
  c_timestamp: [
    "TIMESTAMP '2001-02-03 04:05'",
    "TIMESTAMP(1) '2001-02-03T04:05:06.78'",
    "TIMESTAMP '1/2/2003 4:05 PM'",
  ],
  c_timestamptz: [
    "TIMESTAMP WITH TIME ZONE '2001-02-03 04:05'",
    "TIMESTAMPTZ '2001-02-03 04:05+05:30'",
    "TIMESTAMPTZ(0) '2001-02-03 04:05:06.5'",
    "TIMESTAMPTZ '2001-02-03 04:05 America/New_York'",
  ],
  c_bit: ["B'1010'", "X'f'", "B'1'::bit(4)"],
  c_varbit: ["B'101'", "X'1f'", "B''"],
  c_text: ["N'national'", "U&'\\0061b'", "E'\\x41\\n'", '$$dollar$$', "text 'typed'", "'two' \n 'parts'"],
  c_int4: ['0x1F', '1_000', '-(5)', '+ 7', "int4 '12'"],
  c_numeric: ['1e3', '.5', '-.5e1', '100.005', "numeric '7.125'"],
  c_float8: ["float8 '1e-3'", '1.5e10', "'-Infinity'::float8"],
  c_bool: ['true', "bool 'off'", "'y'::boolean"],
  c_bytea: ["'\\x00ff'::bytea", "E'\\\\001a'::bytea", "bytea 'abc'"],
} as const;

function typedConstants(tape: Tape): Piece {
  const name = tape.of(Object.keys(TYPED) as (keyof typeof TYPED)[]); // the keys of a constant
  const value = (): string => tape.of<string>(TYPED[name]);
  return tape.way(
    () => sql`UPDATE t SET ${name} = ${value()} WHERE id = 1 RETURNING ${name}, ${name}::text AS x`,
    () =>
      sql`INSERT INTO t (id, ${name}) VALUES (90, ${value()}), (91, ${value()}) RETURNING id, ${name}, to_json(${name})`,
    () => sql`SELECT id FROM t WHERE ${name} = ${value()}`,
    () => sql`SELECT id FROM t WHERE ${name} IN (${value()}, ${value()})`,
    () => sql`SELECT id, coalesce(${name}, ${value()}) AS x FROM t`,
    () => sql`SELECT id, CASE WHEN id > 1 THEN ${value()} ELSE ${name} END AS x FROM t`,
    () => sql`SELECT id, lag(${name}, 1, ${value()}) OVER (ORDER BY id) AS x FROM t`,
    () =>
      sql`UPDATE t SET ${name} = v.x FROM (VALUES (1, ${value()}), (2, ${value()})) v (id, x) WHERE v.id = t.id RETURNING t.${name}`,
    () =>
      sql`INSERT INTO t (id, ${name}) VALUES (1, ${value()}) ON CONFLICT (id) DO UPDATE SET ${name} = excluded.${name} RETURNING t.*`,
  );
}

/** Plain columns of the types of an extension, beside sealed ones. */
function ofExtension(tape: Tape): Piece {
  const x = tape.pick('email', 'note', 'id', 'at');
  const nick = tape.of(["'ANN'", "'bob'", 'NULL']);
  const pairs = tape.of([`'a=>1,b=>NULL'`, "''", "hstore('k', 'v')"]);
  return tape.way(
    () => sql`SELECT id, nick, pairs, ${x} FROM members WHERE nick = ${nick}`,
    () =>
      sql`INSERT INTO members (id, nick, pairs, email, note) VALUES (90, ${nick}, ${pairs}, 'new@generated.example', 'generated member') RETURNING *`,
    () =>
      sql`UPDATE members SET pairs = pairs || ${pairs}, note = ${tape.pick('NULL', 'note', "'generated change'")} RETURNING ${x}, pairs, members`,
    () => sql`SELECT to_json(m), m::text FROM members m`,
    () =>
      sql`SELECT m.nick, array_agg(m.${x} ORDER BY m.id), string_agg(m.email, m.nick::text ORDER BY m.id) FROM members m GROUP BY m.nick`,
    () =>
      sql`SELECT m.pairs -> 'a' AS a, m.pairs ? 'b' AS b, m.${x} FROM members m WHERE m.email = 'ann@generated.example'`,
    () => sql`SELECT lag(m.${x}) OVER (PARTITION BY m.nick ORDER BY m.id), m.nick FROM members m`,
    () => sql`SELECT m.nick FROM members m JOIN people p ON p.email = m.email AND m.nick = p.name`,
    () => sql`SELECT hstore(m) FROM members m`,
    () => sql`SELECT m.email::citext FROM members m`,
  );
}
