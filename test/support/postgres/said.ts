/** What a server says to Query messages, in words that can be compared: of the proxy and of a plain server. */
import { serialize } from 'pg-protocol';
import { decodeDataRow } from '../../../src/postgres/messages/data-row.ts';
import { decodeErrorFields } from '../../../src/postgres/messages/error-response.ts';
import { decodeRowDescription } from '../../../src/postgres/messages/row-description.ts';
import type { RawClient, RawMessage } from './proxy.ts';

export async function say(on: RawClient, ...texts: readonly string[]): Promise<RawMessage[]> {
  on.send(...texts.map((text) => serialize.query(text)));
  return on.untilReady(texts.length);
}

/** All that a client sees of it, but for what it is told of its settings, which has no place of its own. */
export const shown = (messages: readonly RawMessage[]): readonly string[] =>
  messages.filter(({ type }) => type !== 'S').map(({ type, body }) => `${type} ${shownBody(type, body)}`);

function shownBody(type: string, body: Buffer): string {
  switch (type) {
    case 'T':
      return decodeRowDescription(body)
        .map(({ name, typeOid, typmod }) => `${Buffer.from(name).toString()} ${typeOid} ${typmod}`)
        .join();
    case 'D':
      return decodeDataRow(body)
        .map((value) => (value === undefined ? 'NULL' : Buffer.from(value).toString()))
        .join();
    case 'E':
    case 'N': {
      const fields = decodeErrorFields(body);
      return ['S', 'C', 'M', 'P'].map((field) => fields.get(field)).join(' ');
    }
    default:
      return body.toString().replaceAll('\0', '');
  }
}
