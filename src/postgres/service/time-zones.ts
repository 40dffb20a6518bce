/**
 * Time zones as the server itself has them: its transitions are read once per zone over the service connection, so no second
 * tz database can disagree with it.
 *
 * The server repeats its last rules in cycles of 400 years (src/timezone/localtime.c), and so do we.
 */
import type { TimeZone, ZoneSource } from '../types/codec.ts';
import type { ServiceConnection, ServiceSession } from './connection.ts';

const DAY_SECONDS = 86_400;
const CYCLE_SECONDS = 146_097 * DAY_SECONDS;
/** Zones keep local mean time before 1800 (tzdata's earliest transition is of 1835). */
const FIRST_DAY = '1800-01-01';
/** One cycle after 2037, the last year that tz files list. */
const LAST_DAY = '2438-01-01';
const REPEATS_FROM = Date.UTC(2037, 11, 31) / 1000;

type Transition<Value> = { readonly at: number; readonly value: Value };

/** Seconds east of UTC. */
const OFFSET = 'extract(timezone FROM t)::int';
/** Under DateStyle SQL, which prints it last. */
const ABBREVIATION = "split_part(t::text, ' ', 3)";

/** The days on which what an expression over t says changes, then by hours, minutes and seconds to the very second. */
function transitionsSql(expression: string): string {
  const at = (instant: string): string => expression.replace(/\bt\b/, instant);
  return `
WITH days AS (
  SELECT t, ${at('t')} AS o, lead(${at('t')}) OVER (ORDER BY t) AS n
  FROM generate_series($1::timestamptz, $2::timestamptz, interval '24 hours') AS t
), changed AS (SELECT t, o FROM days WHERE n IS DISTINCT FROM o AND n IS NOT NULL),
hours AS (
  SELECT h.t, c.o FROM changed c, LATERAL (
    SELECT max(u) AS t FROM generate_series(c.t, c.t + interval '23 hours', interval '1 hour') AS u
    WHERE ${at('u')} = c.o) h
), minutes AS (
  SELECT m.t, c.o FROM hours c, LATERAL (
    SELECT max(u) AS t FROM generate_series(c.t, c.t + interval '59 minutes', interval '1 minute') AS u
    WHERE ${at('u')} = c.o) m
), seconds AS (
  SELECT s.t, c.o FROM minutes c, LATERAL (
    SELECT max(u) AS t FROM generate_series(c.t, c.t + interval '59 seconds', interval '1 second') AS u
    WHERE ${at('u')} = c.o) s
)
SELECT extract(epoch FROM t)::bigint + 1 AS at, ${at("(t + interval '1 second')")} AS value
FROM seconds ORDER BY t`;
}

/** Fixed zones need no question. */
const UTC_NAMES: ReadonlySet<string> = new Set([
  'UTC',
  'ETC/UTC',
  'GMT',
  'ETC/GMT',
  'UCT',
  'ETC/UCT',
  'ZULU',
  'ETC/ZULU',
]);

/** The zones asked for so far, for one database. */
export class ServerTimeZones implements ZoneSource {
  readonly #connection: ServiceConnection;
  readonly #loaded = new Map<string, TimeZone>();
  readonly #loading = new Map<string, Promise<void>>();

  constructor(connection: ServiceConnection) {
    this.#connection = connection;
  }

  zone(name: string): TimeZone | undefined {
    return UTC_NAMES.has(name.toUpperCase()) ? UTC : this.#loaded.get(name);
  }

  /** Whether what a session needs of its zone is known. `named`: what it is called, too, which only DateStyles other than ISO print. */
  knows(name: string, named: boolean): boolean {
    const zone = this.zone(name);
    if (zone === undefined) return false;
    return !named || zone.abbreviationAt?.(0) !== undefined;
  }

  /** Resolves once `knows(name, named)`. Names come from the server's own ParameterStatus. */
  async load(name: string, named = false): Promise<void> {
    if (this.knows(name, named)) return;
    const key = `${String(named)} ${name}`;
    const loading = this.#loading.get(key) ?? this.#read(name, named).finally(() => this.#loading.delete(key));
    this.#loading.set(key, loading);
    await loading;
  }

  async #read(name: string, named: boolean): Promise<void> {
    const zone = await this.#connection.dryRun(async (session) => {
      await session.query("SELECT pg_catalog.set_config('TimeZone', $1, true)", [name]);
      await session.query("SET LOCAL DateStyle = 'SQL, MDY'");
      const offsets = await readTransitions(session, OFFSET, Number);
      const names = named ? await readTransitions(session, ABBREVIATION, String) : undefined;
      return new TransitionZone(offsets, names);
    });
    this.#loaded.set(name, zone);
  }
}

const UTC: TimeZone = { offsetAt: () => 0, offsetForLocal: () => 0, abbreviationAt: () => 'UTC' };

/** What holds before the first transition, and all of them in order. */
type Timeline<Value> = { readonly first: Value; readonly transitions: readonly Transition<Value>[] };

async function readTransitions<Value>(
  session: ServiceSession,
  expression: string,
  read: (value: unknown) => Value,
): Promise<Timeline<Value>> {
  const firstSql = `SELECT ${expression} AS value FROM (SELECT $1::timestamptz AS t) AS first`;
  const [first] = await session.query<{ value: unknown }>(firstSql, [`${FIRST_DAY} 00:00:00+00`]);
  const rows = await session.query<{ at: string; value: unknown }>(transitionsSql(expression), [
    `${FIRST_DAY} 00:00:00+00`,
    `${LAST_DAY} 00:00:00+00`,
  ]);
  return {
    first: read(first?.value),
    transitions: rows.map(({ at, value }) => ({ at: Number(at), value: read(value) })),
  };
}

class TransitionZone implements TimeZone {
  readonly #offsets: Timeline<number>;
  readonly #names: Timeline<string> | undefined;

  constructor(offsets: Timeline<number>, names: Timeline<string> | undefined) {
    this.#offsets = offsets;
    this.#names = names;
  }

  offsetAt(epochSeconds: number): number {
    return valueAfter(this.#offsets, countUntil(this.#offsets, withinCycle(epochSeconds)));
  }

  abbreviationAt(epochSeconds: number): string | undefined {
    const names = this.#names;
    return names && valueAfter(names, countUntil(names, withinCycle(epochSeconds)));
  }

  /** As DetermineTimeZoneOffset in datetime.c: in a gap the offset before it, in an overlap the one after. */
  offsetForLocal(localSeconds: number): number {
    const local = withinCycle(localSeconds);
    // The one boundary the server looks at: the first after the day before.
    const count = countUntil(this.#offsets, local - DAY_SECONDS);
    const next = this.#offsets.transitions[count];
    const before = valueAfter(this.#offsets, count);
    if (next === undefined) return before;
    const beforeTime = local - before;
    const afterTime = local - next.value;
    if (beforeTime < next.at && afterTime < next.at) return before;
    if (beforeTime > next.at && afterTime >= next.at) return next.value;
    return beforeTime > afterTime ? before : next.value;
  }
}

/** What is in force once this many transitions have passed. */
function valueAfter<Value>({ first, transitions }: Timeline<Value>, count: number): Value {
  return transitions[count - 1]?.value ?? first;
}

/** How many transitions lie at or before an instant. */
function countUntil({ transitions }: Timeline<unknown>, epochSeconds: number): number {
  let low = 0;
  let high = transitions.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((transitions[middle]?.at ?? Infinity) <= epochSeconds) low = middle + 1;
    else high = middle;
  }
  return low;
}

function withinCycle(epochSeconds: number): number {
  if (epochSeconds <= REPEATS_FROM) return epochSeconds;
  return REPEATS_FROM + ((epochSeconds - REPEATS_FROM) % CYCLE_SECONDS);
}
