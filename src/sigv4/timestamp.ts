/** Times as Signature Version 4 writes them: `YYYYMMDDTHHMMSSZ`. */

const BASIC_FORMAT = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/u;

/** Of what was read last: the requests of one second, or of one signature, say the same, and each says it twice. */
let lastRead: { readonly text: string; readonly time: number | undefined } = { text: '', time: undefined };

/** Milliseconds since 1970, or undefined where it is no such time. */
export function parseTimestamp(text: string): number | undefined {
  if (lastRead.text !== text) lastRead = { text, time: readTimestamp(text) };
  return lastRead.time;
}

function readTimestamp(text: string): number | undefined {
  const match = BASIC_FORMAT.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second] = match;
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  // Date.parse rolls 31 February over: only a time that writes back the same is one.
  return Number.isNaN(time) || formatTimestamp(time) !== text ? undefined : time;
}

/** Of what was written last, by its second. */
let lastWritten: { readonly second: number; readonly text: string } = { second: Number.NaN, text: '' };

export function formatTimestamp(milliseconds: number): string {
  const second = Math.floor(milliseconds / 1000);
  if (lastWritten.second !== second) lastWritten = { second, text: writeTimestamp(milliseconds) };
  return lastWritten.text;
}

const writeTimestamp = (milliseconds: number): string =>
  `${new Date(milliseconds).toISOString().slice(0, 19).replace(/[-:]/gu, '')}Z`;
