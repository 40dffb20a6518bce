/** Points in time as policies write them: ISO 8601 as the W3C profiles it, or seconds since 1970. */

const SECONDS = /^\d{1,12}(?:\.\d{1,9})?$/;
const ISO = /^(\d{4})-(\d{2})-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2}))?$/;

/** Milliseconds since 1970; undefined for what is no date. */
export function parseDate(text: string): number | undefined {
  if (SECONDS.test(text)) return Number(text) * 1000;
  const parts = ISO.exec(text);
  if (parts === null) return undefined;
  const time = Date.parse(text);
  // Date.parse rolls 30 February over into March.
  const [, , month, day] = parts.map(Number);
  const rolled = new Date(Date.UTC(Number(parts[1]), Number(month) - 1, Number(day))).getUTCDate() !== day;
  return Number.isNaN(time) || rolled ? undefined : time;
}
