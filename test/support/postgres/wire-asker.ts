/** One statement over a raw connection, in each of the ways a client may send it; and all that came back, so that two servers can be compared. */
import { serialize } from 'pg-protocol';
import { decodeDataRow } from '../../../src/postgres/messages/data-row.ts';
import { encodeBind } from '../../../src/postgres/messages/bind.ts';
import { decodeParameterDescription } from '../../../src/postgres/messages/parameter-description.ts';
import { decodeRowDescription } from '../../../src/postgres/messages/row-description.ts';
import { binaryParameter } from './binary-parameters.ts';
import { errorOf, statusOf, type RawClient, type RawMessage } from './proxy.ts';

/** `binary`: parameters where their type allows, and all results. */
export type Way = 'simple' | 'text' | 'binary';

export type Parameter = string | readonly (string | null)[] | null;

export type Refusal = {
  readonly code: string;
  readonly message: string;
  readonly hint: string | undefined;
  readonly position: number | undefined;
};

export type Answer = {
  readonly type: 'answer';
  /** Types of the parameters, as ParameterDescription has them. */
  readonly parameters: readonly number[];
  /** Name, type, modifier, length and format of each column; one list for each result. */
  readonly fields: readonly string[];
  readonly rows: readonly string[];
  readonly tags: readonly string[];
  /** SQLSTATE. */
  readonly error: string | undefined;
  readonly status: string | undefined;
};

export type Outcome = Answer | { readonly type: 'refused'; readonly sqlstate: string; readonly refusal: Refusal };

export async function ask(on: RawClient, sql: string, values: readonly Parameter[], way: Way): Promise<Outcome> {
  if (way === 'simple') {
    on.send(serialize.query(sql));
    return outcomeOf(await on.untilReady());
  }
  on.send(serialize.parse({ text: sql }), serialize.describe({ type: 'S' }), serialize.sync());
  const described = await on.untilReady();
  if (described.some(({ type }) => type === 'E')) return outcomeOf(described);
  const oids = parameterOids(described);
  const isBinary = values.map(
    (value, index) => way === 'binary' && binaryParameter(oids[index] ?? 0, value) !== undefined,
  );
  const bytes = values.map((value, index) => parameterBytes(value, oids[index] ?? 0, isBinary[index] === true));
  on.send(
    encodeBind({
      portal: '',
      statement: '',
      formats: isBinary.map((binary) => (binary ? 1 : 0)),
      values: bytes,
      resultFormats: [way === 'binary' ? 1 : 0],
    }),
    serialize.describe({ type: 'P' }),
    serialize.execute({}),
    serialize.sync(),
  );
  return outcomeOf([...described.filter(({ type }) => type === 't'), ...(await on.untilReady())]);
}

function parameterBytes(value: Parameter, oid: number, binary: boolean): Uint8Array | undefined {
  if (value === null) return undefined;
  if (binary) return binaryParameter(oid, value);
  return Buffer.from(typeof value === 'string' ? value : arrayText(value));
}

/** As array_in reads it. */
export function arrayText(items: readonly (string | null)[]): string {
  const texts = items.map((item) => (item === null ? 'NULL' : `"${item.replaceAll(/["\\]/g, String.raw`\$&`)}"`));
  return `{${texts.join(',')}}`;
}

function parameterOids(messages: readonly RawMessage[]): readonly number[] {
  const described = messages.find(({ type }) => type === 't');
  return described === undefined ? [] : decodeParameterDescription(described.body);
}

export function outcomeOf(messages: readonly RawMessage[]): Outcome {
  const { C: sqlstate, M: message = '', H: hint, P: position, R: routine } = errorOf(messages);
  if (routine?.startsWith('ERR_POSTGRES_') === true && sqlstate === '0A000') {
    const at = position === undefined ? undefined : Number(position);
    return { type: 'refused', sqlstate, refusal: { code: routine, message, hint, position: at } };
  }
  return {
    type: 'answer',
    parameters: parameterOids(messages),
    fields: messages.filter(({ type }) => type === 'T').map(({ body }) => fieldsText(body)),
    rows: messages.filter(({ type }) => type === 'D').map(({ body }) => rowText(body)),
    tags: messages.filter(({ type }) => type === 'C').map(({ body }) => body.toString('utf8', 0, body.length - 1)),
    error: sqlstate,
    status: statusOf(messages),
  };
}

/** FirstNormalObjectId: types of the database itself, which have another OID in another database. */
const FIRST_OWN_OID = 16_384;

function fieldsText(body: Uint8Array): string {
  return decodeRowDescription(body)
    .map(
      ({ name, typeOid, typmod, typlen, format }) =>
        `${Buffer.from(name).toString()} ${typeOid < FIRST_OWN_OID ? typeOid : 'own'} ${typmod} ${typlen} ${format}`,
    )
    .join(', ');
}

/** Bytes that are no text in hex, so that a difference can be read. */
function rowText(body: Uint8Array): string {
  return JSON.stringify(
    decodeDataRow(body).map((value) => {
      if (value === undefined) return null;
      const text = Buffer.from(value).toString('utf8');
      return /^[\x20-\x7e\u00a0-\uffff]*$/u.test(text) ? text : { hex: Buffer.from(value).toString('hex') };
    }),
  );
}
