/**
 * Values on their way upstream: the text of a sealed statement with its literals sealed, and the parameters of a Bind.
 */
import { PostgresError } from '../errors.ts';
import type { ColumnSession } from '../columns/column-service.ts';
import { MAX_SEALED_VALUE_BYTES } from '../limits.ts';
import { formatAt, type Bind } from '../messages/bind.ts';
import { isRowTyped, storedType } from '../columns/stored-type.ts';
import type { PassPlan, SealedColumn, SealedLiteral, SealedPlan, TrackPlan } from '../plan.ts';
import { decodeBinaryArray } from '../types/array/binary.ts';
import { STANDARD_SETTINGS } from '../types/codec.ts';
import { FaultyValue, isLate } from './faulty-bind.ts';
import type { SessionSettings } from './settings.ts';
import type { Steps } from '../turns.ts';

/** The upstream text of one statement; stops after each value, and at its end. Throws what sealing throws. */
export function* sealText(
  plan: SealedPlan | PassPlan | TrackPlan,
  columns: ColumnSession,
  settings: SessionSettings,
): Steps<string> {
  let text = '';
  if (plan.type !== 'sealed') text = plan.text;
  else
    for (const piece of plan.pieces) {
      if (typeof piece === 'string') {
        text += piece;
        continue;
      }
      const sealed = sealedLiteral(piece, columns, settings);
      text += sealed;
      yield sealed.length;
    }
  yield;
  return text;
}

function sealedLiteral(literal: SealedLiteral, columns: ColumnSession, session: SessionSettings): string {
  const { column, value } = literal;
  const settings = literal.isDefault ? STANDARD_SETTINGS : session;
  if (value === null) return 'NULL';
  checkSize(value.length);
  const sealed =
    literal.shape === 'array'
      ? columns.seal(column, Buffer.from(value), 'text', settings, 'array', literal)
      : columns.sealLiteral(column, value, settings, literal);
  if (literal.shape === 'array') return sealedArray(column, sealed);
  // Nothing but letters and digits: nothing to escape.
  if (column.format !== undefined)
    return `'${Buffer.from(sealed).toString('latin1')}'::pg_catalog.${storedType(column).name}`;
  const hex = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.length).toString('hex');
  return `'\\x${hex}'::pg_catalog.bytea`;
}

/** A binary bytea[] as text. */
function sealedArray(column: SealedColumn, sealed: Uint8Array): string {
  const { name } = storedType(column);
  const elements = decodeBinaryArray(sealed).elements.map((element) =>
    element === undefined ? 'NULL' : `"${elementText(column, element)}"`,
  );
  return `'{${elements.join(',')}}'::pg_catalog.${name}[]`;
}

function elementText({ format }: SealedColumn, element: Uint8Array): string {
  const bytes = Buffer.from(element);
  return format === undefined ? `\\\\x${bytes.toString('hex')}` : bytes.toString('latin1');
}

/** The parameter types Parse declares upstream: what sealed ones are stored as, the client's own for the rest. */
export function upstreamOids(plan: SealedPlan, declaredOids: readonly number[]): readonly number[] {
  const oids = [...declaredOids];
  for (const [number, { shape, column }] of plan.parameters) {
    while (oids.length < number) oids.push(0);
    const { oid, arrayOid } = storedType(column);
    oids[number - 1] = shape === 'array' ? arrayOid : oid;
  }
  return oids;
}

/** A Bind with its sealed parameters sealed and its sealed results asked for in binary. Throws FaultyValue with what sealing throws. */
export function sealedBind(bind: Bind, plan: SealedPlan, columns: ColumnSession, settings: SessionSettings): Bind {
  const { formats, values } = bind;
  if (isMiscounted(bind, plan)) return withoutSealed(bind, plan);
  const sealedFormats: number[] = [];
  let late: FaultyValue | undefined;
  const sealedValues = values.map((value, index) => {
    const parameter = plan.parameters.get(index + 1);
    const format = formatAt(formats, index);
    // Of any other code the server says that there is none.
    sealedFormats.push(parameter === undefined || format > 1 ? format : 1);
    if (parameter === undefined || value === undefined) return value;
    if (format > 1) return undefined;
    const { column, shape } = parameter;
    try {
      checkSize(value.length);
      return columns.seal(column, value, format === 1 ? 'binary' : 'text', settings, shape, parameter);
    } catch (error) {
      const fault = new FaultyValue(index, error);
      if (!isLate(fault)) throw fault;
      late ??= fault;
      return undefined;
    }
  });
  if (late !== undefined) throw late;
  return {
    ...bind,
    formats: sealedFormats,
    values: sealedValues,
    resultFormats: sealedResultFormats(bind.resultFormats, plan),
  };
}

/** The server refuses it before it looks at any value, and before a failed transaction. */
function isMiscounted({ formats, values }: Bind, { parameters }: SealedPlan): boolean {
  if (formats.length > 1 && formats.length !== values.length) return true;
  for (const number of parameters.keys()) if (number > values.length) return true;
  return false;
}

function withoutSealed(bind: Bind, { parameters }: SealedPlan): Bind {
  return { ...bind, values: bind.values.map((value, index) => (parameters.has(index + 1) ? undefined : value)) };
}

/** Whether nothing in it is to be sealed, nor asked for otherwise: the server may have it as it came, and judge it itself. */
export function goesAsItCame({ values, resultFormats }: Bind, plan: SealedPlan): boolean {
  for (const number of plan.parameters.keys()) if (values[number - 1] !== undefined) return false;
  const wanted = sealedResultFormats(resultFormats, plan);
  return wanted === resultFormats || wanted.every((format, index) => format === formatAt(resultFormats, index));
}

function sealedResultFormats(asked: readonly number[], plan: SealedPlan): readonly number[] {
  const { results, copy, named } = plan;
  // What COPY sends has a format of its own; DECLARE and PREPARE send nothing.
  if (copy !== undefined || named?.type === 'declare' || named?.type === 'prepare') return asked;
  if (results === undefined || results.length === 0) return asked;
  // A wrong count, or a format that there is not, is the server's to refuse, with its own words.
  if (asked.length > 1 && asked.length !== results.length) return asked;
  if (asked.some((format) => format > 1)) return asked;
  return results.map((column, index) => {
    // What is not sealed in a row stays as it is.
    if (column === undefined || isRowTyped(column)) return formatAt(asked, index);
    // JSON is text either way, and so is a row's text.
    const as = column.carries?.as;
    return as === 'json' || as === 'row' ? 0 : 1;
  });
}

function checkSize(length: number): void {
  if (length <= MAX_SEALED_VALUE_BYTES) return;
  const message = `a value for a sealed column may have at most ${MAX_SEALED_VALUE_BYTES} bytes (maxSealedValueBytes)`;
  throw new PostgresError('ERR_POSTGRES_TOO_LARGE', message, { sqlstate: '54000' });
}
