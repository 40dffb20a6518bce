/**
 * Time zones as the server itself has them: its transitions are read once per zone over the service connection, so no second
 * tz database can disagree with it.
 *
 * The server repeats its last rules in cycles of 400 years (src/timezone/localtime.c), and so do we.
 */
import type { TimeZone, ZoneSource } from '../types/codec.ts';
import type { ServiceConnection } from './connection.ts';

const DAY_SECONDS = 86_400;
const CYCLE_SECONDS = 146_097 * DAY_SECONDS;
/** Zones keep local mean time before 1800 (tzdata's earliest transition is of 1835). */
const FIRST_DAY = '1800-01-01';
/** One cycle after 2037, the last year that tz files list. */
const LAST_DAY = '2438-01-01';
const REPEATS_FROM = Date.UTC(2037, 11, 31) / 1000;

type Transition = { readonly at: number; readonly offset: number };

/** The days on which the offset changes, then by hours, minutes and seconds to the very second. */
const TRANSITIONS = `
WITH days AS (
  SELECT t, extract(timezone FROM t)::int AS o, lead(extract(timezone FROM t)::int) OVER (ORDER BY t) AS n
  FROM generate_series($1::timestamptz, $2::timestamptz, interval '24 hours') AS t
), changed AS (SELECT t, o FROM days WHERE n IS DISTINCT FROM o AND n IS NOT NULL),
hours AS (
  SELECT h.t, c.o FROM changed c, LATERAL (
    SELECT max(u) AS t FROM generate_series(c.t, c.t + interval '23 hours', interval '1 hour') AS u
    WHERE extract(timezone FROM u)::int = c.o) h
), minutes AS (
  SELECT m.t, c.o FROM hours c, LATERAL (
    SELECT max(u) AS t FROM generate_series(c.t, c.t + interval '59 minutes', interval '1 minute') AS u
    WHERE extract(timezone FROM u)::int = c.o) m
), seconds AS (
  SELECT s.t, c.o FROM minutes c, LATERAL (
    SELECT max(u) AS t FROM generate_series(c.t, c.t + interval '59 seconds', interval '1 second') AS u
    WHERE extract(timezone FROM u)::int = c.o) s
)
SELECT extract(epoch FROM t)::bigint + 1 AS at, extract(timezone FROM t + interval '1 second')::int AS zone_offset
FROM seconds ORDER BY t`;

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

  /** Resolves once `zone(name)` is known. Names come from the server's own ParameterStatus. */
  async load(name: string): Promise<void> {
    if (this.zone(name) !== undefined) return;
    const loading = this.#loading.get(name) ?? this.#read(name).finally(() => this.#loading.delete(name));
    this.#loading.set(name, loading);
    await loading;
  }

  async #read(name: string): Promise<void> {
    const zone = await this.#connection.dryRun(async (session) => {
      await session.query("SELECT pg_catalog.set_config('TimeZone', $1, true)", [name]);
      const [first] = await session.query<{ zone_offset: number }>(
        'SELECT extract(timezone FROM $1::timestamptz)::int AS zone_offset',
        [`${FIRST_DAY} 00:00:00+00`],
      );
      const rows = await session.query<{ at: string; zone_offset: number }>(TRANSITIONS, [
        `${FIRST_DAY} 00:00:00+00`,
        `${LAST_DAY} 00:00:00+00`,
      ]);
      const transitions = rows.map((row) => ({ at: Number(row.at), offset: row.zone_offset }));
      return new TransitionZone(first?.zone_offset ?? 0, transitions);
    });
    this.#loaded.set(name, zone);
  }
}

const UTC: TimeZone = { offsetAt: () => 0, offsetForLocal: () => 0 };

class TransitionZone implements TimeZone {
  readonly #first: number;
  readonly #transitions: readonly Transition[];

  constructor(first: number, transitions: readonly Transition[]) {
    this.#first = first;
    this.#transitions = transitions;
  }

  offsetAt(epochSeconds: number): number {
    return this.#before(this.#countUntil(withinCycle(epochSeconds)));
  }

  /** As DetermineTimeZoneOffset in datetime.c: in a gap the offset before it, in an overlap the one after. */
  offsetForLocal(localSeconds: number): number {
    const local = withinCycle(localSeconds);
    // The one boundary the server looks at: the first after the day before.
    const next = this.#transitions[this.#countUntil(local - DAY_SECONDS)];
    const before = this.#before(this.#countUntil(local - DAY_SECONDS));
    if (next === undefined) return before;
    const beforeTime = local - before;
    const afterTime = local - next.offset;
    if (beforeTime < next.at && afterTime < next.at) return before;
    if (beforeTime > next.at && afterTime >= next.at) return next.offset;
    return beforeTime > afterTime ? before : next.offset;
  }

  /** The offset in force once this many transitions have passed. */
  #before(count: number): number {
    return count === 0 ? this.#first : (this.#transitions[count - 1]?.offset ?? this.#first);
  }

  /** How many transitions lie at or before an instant. */
  #countUntil(epochSeconds: number): number {
    let low = 0;
    let high = this.#transitions.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#transitions[middle]?.at ?? Infinity) <= epochSeconds) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function withinCycle(epochSeconds: number): number {
  if (epochSeconds <= REPEATS_FROM) return epochSeconds;
  return REPEATS_FROM + ((epochSeconds - REPEATS_FROM) % CYCLE_SECONDS);
}
