/** What an application sent up to where it waited for the server, message by message, as the fixtures in `captured/` have it. */
import { serialize } from 'pg-protocol';
import { decodeBind, encodeBind } from '../../src/postgres/messages/bind.ts';
import { decodeTarget } from '../../src/postgres/messages/describe.ts';
import { decodeExecute } from '../../src/postgres/messages/execute.ts';
import { decodeParse, encodeParse } from '../../src/postgres/messages/parse.ts';
import { decodeQuery } from '../../src/postgres/messages/query.ts';

/** NULL, text, or the bytes of a binary value. */
type Value = string | null | { readonly hex: string };

/** Names and lists that are left out are empty: the unnamed statement or portal, all in text, no types given. */
export type Message =
  | { readonly query: string }
  | { readonly parse: string; readonly name?: string; readonly types?: readonly number[] }
  | {
      readonly bind: readonly Value[];
      readonly statement?: string;
      readonly portal?: string;
      readonly formats?: readonly number[];
      readonly results?: readonly number[];
    }
  | { readonly describe: 'S' | 'P'; readonly name?: string }
  | { readonly execute: number; readonly portal?: string }
  | { readonly close: 'S' | 'P'; readonly name?: string }
  | { readonly sync: true };

export type Exchange = {
  /** Which of the application's connections, from 0. */
  readonly on: number;
  readonly sent: readonly Message[];
  /** SQLSTATE that the plain server answered with while it was captured; none: it succeeded. */
  readonly failed?: string;
};

export type Captured = {
  readonly application: string;
  /** Its connections' startup parameters, those of the login left out. */
  readonly connections: readonly Readonly<Record<string, string>>[];
  readonly exchanges: readonly Exchange[];
};

const text = (bytes: Uint8Array): string => new TextDecoder('utf-8', { fatal: true }).decode(bytes);
const named = (key: string, name: string): object => (name === '' ? {} : { [key]: name });
const listed = (key: string, list: readonly number[]): object =>
  list.every((one) => one === 0) ? {} : { [key]: list };

/** Undefined: it says nothing that is sent again. Throws on what no application here sends (COPY, function calls). */
export function decodeMessage(type: string, body: Uint8Array): Message | undefined {
  switch (type) {
    case 'Q':
      return { query: text(decodeQuery(body)) };
    case 'P': {
      const { name, text: sql, parameterOids } = decodeParse(body);
      return { parse: text(sql), ...named('name', name), ...listed('types', parameterOids) };
    }
    case 'B': {
      const { portal, statement, formats, values, resultFormats } = decodeBind(body);
      const isBinary = (at: number): boolean => (formats.length === 1 ? formats[0] : formats[at]) === 1;
      const shown = values.map((value, at): Value => {
        if (value === undefined) return null;
        return isBinary(at) ? { hex: Buffer.from(value).toString('hex') } : text(value);
      });
      return {
        bind: shown,
        ...named('statement', statement),
        ...named('portal', portal),
        ...listed('formats', formats),
        ...listed('results', resultFormats),
      };
    }
    case 'D':
    case 'C': {
      const { type: of, name } = decodeTarget(body, 'DESCRIBE');
      const target = of === 'statement' ? 'S' : 'P';
      return type === 'D' ? { describe: target, ...named('name', name) } : { close: target, ...named('name', name) };
    }
    case 'E': {
      const { portal, maxRows } = decodeExecute(body);
      return { execute: maxRows, ...named('portal', portal) };
    }
    case 'S':
      return { sync: true };
    case 'H': // What is flushed comes with the Sync as well.
    case 'p':
    case 'X':
      return undefined;
    default:
      throw new Error(`no application was known to send ${type}`);
  }
}

export function encodeMessage(message: Message): Uint8Array {
  if ('query' in message) return serialize.query(message.query);
  if ('parse' in message)
    return encodeParse({ name: message.name ?? '', text: message.parse, parameterOids: message.types ?? [] });
  if ('bind' in message)
    return encodeBind({
      portal: message.portal ?? '',
      statement: message.statement ?? '',
      formats: message.formats ?? [],
      values: message.bind.map(bytesOf),
      resultFormats: message.results ?? [],
    });
  if ('describe' in message) return serialize.describe({ type: message.describe, name: message.name ?? '' });
  if ('close' in message) return serialize.close({ type: message.close, name: message.name ?? '' });
  if ('execute' in message) return serialize.execute({ portal: message.portal ?? '', rows: message.execute });
  return serialize.sync();
}

function bytesOf(value: Value): Uint8Array | undefined {
  if (value === null) return undefined;
  return typeof value === 'string' ? Buffer.from(value) : Buffer.from(value.hex, 'hex');
}
