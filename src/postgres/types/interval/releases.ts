/**
 * What releases of PostgreSQL make of the text of an interval, where they differ.
 *
 * Source: the release notes of 15 and 17; DecodeInterval in src/backend/utils/adt/datetime.c of each branch.
 */
export type IntervalReading = {
  /**
   * Before 15: numbers have 32 bits, none ends in a point, fractions of years are cut off to months, and halves of a microsecond go to the even one.
   */
  readonly narrow: boolean;
  /** Before 17: `ago` may stand anywhere, and of several units the last before the number's is nobody's. */
  readonly lax: boolean;
};

const WIDE_SINCE = 15;
const STRICT_SINCE = 17;

/** @param serverVersion the server's major version; undefined: the newest. */
export function readingOf(serverVersion: number = STRICT_SINCE): IntervalReading {
  return { narrow: serverVersion < WIDE_SINCE, lax: serverVersion < STRICT_SINCE };
}
