/**
 * Structured logs: one JSON object per line, by pino. Invariant: no secret is ever written. Names that hold secrets are replaced
 * wherever they stand, bytes are shown by length alone, and of an error only name, code and message are kept (never its `cause`,
 * which may quote a client's data).
 */
import { pino, type DestinationStream, type Logger } from 'pino';

/** What the rooms ask of a logger: fields first, as pino has it. */
export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;

export type LogOptions = {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** Part of every line. */
  readonly base?: Readonly<Record<string, string>>;
};

const REDACTED = '[redacted]';
/** Field names, letters' case and `-`/`_` aside, whose values are secret. */
const SECRET_NAME =
  /password|passphrase|secret|privatekey|plaintext|credential|sessiontoken|securitytoken|authorization|cookie|signature|^(?:dek|kek|rootkey|verifier|token|sql|query|body|value|values|params?|parameters?)$/u;
const MAX_DEPTH = 5;
const MAX_ITEMS = 50;
const MAX_TEXT = 2000;
/** A presigned URL carries its signature and session token in the query, a signed request in a header; a connection URL its password. */
const TEXT_SECRETS =
  /((?:[?&](?:x-amz-signature|x-amz-security-token|x-amz-credential|password)|\bsignature)=)[^&\s"',]*|(\/\/[^/\s:@]*:)[^@\s/]*(?=@)/giu;

const normal = (name: string): string => name.replaceAll(/[-_]/gu, '').toLowerCase();

export const isSecretName = (name: string): boolean => SECRET_NAME.test(normal(name));

function cleanText(text: string): string {
  const cut = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
  return cut.replaceAll(
    TEXT_SECRETS,
    (_whole, query: string | undefined, user: string | undefined) => `${query ?? user ?? ''}${REDACTED}`,
  );
}

function cleanError(error: Error): object {
  const code = 'code' in error ? String(error.code) : undefined;
  return { name: error.name, ...(code === undefined ? {} : { code }), message: cleanText(error.message) };
}

/** A copy of the fields that may be written. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return cleanText(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null)
    return typeof value === 'function' || typeof value === 'symbol' ? undefined : value;
  if (value instanceof Error) return cleanError(value);
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`;
  if (value instanceof Date) return value.toISOString();
  if (depth >= MAX_DEPTH) return '[…]';
  if (Array.isArray(value)) return value.slice(0, MAX_ITEMS).map((item) => redact(item, depth + 1));
  const json: unknown =
    'toJSON' in value && typeof value.toJSON === 'function' ? (value as { toJSON(): unknown }).toJSON() : value;
  if (json !== value) return redact(json, depth + 1);
  // What has a class of its own (a KeyObject, a socket) says nothing about itself.
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return `[${value.constructor.name}]`;
  const entries = Object.entries(value).slice(0, MAX_ITEMS);
  return Object.fromEntries(
    entries.map(([name, inner]) => [name, isSecretName(name) ? REDACTED : redact(inner, depth + 1)]),
  );
}

/** A logger that writes redacted JSON lines to `destination`. */
export function createLog({ level, base = {} }: LogOptions, destination: DestinationStream): Log {
  return pino(
    {
      level,
      base,
      timestamp: pino.stdTimeFunctions.isoTime,
      messageKey: 'message',
      formatters: {
        level: (label) => ({ level: label }),
        // Fields are an object; `redact` gives an object for one.
        log: (fields) => redact(fields) as Record<string, unknown>,
      },
      // pino would write an error's stack and cause by itself.
      serializers: { err: (error: unknown) => redact(error) },
      hooks: {
        // The message stands outside of the fields.
        logMethod(args, method) {
          method.apply(this, args.map((arg) => (typeof arg === 'string' ? cleanText(arg) : arg)) as typeof args);
        },
      },
    },
    destination,
  );
}
