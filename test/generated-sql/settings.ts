/** Settings by which values are written, and statements read. */
import type { Tape } from './tape.ts';

const SETTINGS = [
  "datestyle = 'German'",
  "datestyle = 'SQL, MDY'",
  "datestyle = 'Postgres, DMY'",
  "datestyle = 'ISO, YMD'",
  "timezone = 'Asia/Kathmandu'",
  "timezone = 'America/New_York'",
  "intervalstyle = 'iso_8601'",
  "intervalstyle = 'sql_standard'",
  "intervalstyle = 'postgres_verbose'",
  "bytea_output = 'escape'",
  'extra_float_digits = -3',
  'extra_float_digits = 3',
  'search_path = public',
  "LOCAL timezone = 'Asia/Tokyo'",
  "LOCAL datestyle = 'SQL, DMY'",
  'transform_null_equals = on',
];
/** Under which statements on sealed columns are refused: seldom. */
const ENCODINGS = ["client_encoding = 'LATIN1'", "client_encoding = 'SQL_ASCII'", "client_encoding = 'UTF8'"];

/** What puts them back. */
export const RESETS = 'RESET ALL';

export function setting(tape: Tape): string {
  if (tape.chance(0.1)) return tape.pick(RESETS, ...ENCODINGS.map((one) => `SET ${one}`));
  const one = tape.of(SETTINGS);
  return tape.pick(
    `SET ${one}`,
    `SET ${one}`,
    // A query that is no SET at all.
    one.startsWith('LOCAL')
      ? `SET ${one}`
      : `SELECT set_config('${one.replace(' = ', "', ").replace(/(?<=', )([^']+)$/u, "'$1'")}, false)`,
  );
}
