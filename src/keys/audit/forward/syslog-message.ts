/** A record as a syslog message (RFC 5424): the whole JSON line is its text. */
import type { AuditLine } from './sink.ts';

/** Facility 13, "log audit" (RFC 5424, table 1). */
const FACILITY = 13;
const WARNING = 4;
const INFORMATIONAL = 6;
/** What every receiver that takes JSON takes (RFC 5424 asks for 2048); over UDP a message is one datagram. */
export const MAX_UDP_BYTES = 60_000;

type Told = {
  readonly time?: unknown;
  readonly action?: unknown;
  readonly decision?: unknown;
  readonly result?: unknown;
};

export function syslogMessage({ bytes }: AuditLine, host: string): Uint8Array {
  const { time, action, decision, result } = JSON.parse(Buffer.from(bytes).toString('utf8')) as Told;
  const isQuiet = decision === 'allow' && (result === 'success' || result === 'started');
  const priority = 8 * FACILITY + (isQuiet ? INFORMATIONAL : WARNING);
  const head = `<${priority}>1 ${printable(time, 32)} ${printable(host, 255)} sealgate ${process.pid} ${printable(action, 32)} - `;
  return Buffer.concat([Buffer.from(head, 'latin1'), bytes]);
}

/** Header fields are of printable ASCII without spaces; "-" is none. */
function printable(value: unknown, length: number): string {
  const text = typeof value === 'string' ? value.replaceAll(/[^\u0021-\u007e]/gu, '').slice(0, length) : '';
  return text === '' ? '-' : text;
}
