/** What an interval is: three counts that do not turn into each other. */
export type Interval = { readonly microseconds: bigint; readonly days: number; readonly months: number };

const MAX_INT4 = 0x7fffffff;
const MIN_INT4 = -0x80000000;

/** PostgreSQL 17 and later: INTERVAL_NOEND and INTERVAL_NOBEGIN in src/include/datatype/timestamp.h. */
export const INFINITE: Interval = { microseconds: 2n ** 63n - 1n, days: MAX_INT4, months: MAX_INT4 };
export const MINUS_INFINITE: Interval = { microseconds: -(2n ** 63n), days: MIN_INT4, months: MIN_INT4 };
