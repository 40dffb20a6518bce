/** RowDescription ('T') and NoData ('n'): the server's opinion of a statement's results, compared with the plan's. */
import { PostgresError } from '../../errors.ts';
import { decodeRowDescription, encodeRowDescription, type FieldDescription } from '../../messages/row-description.ts';
import { formatAt } from '../../messages/bind.ts';
import { originKey, type ResultOrigin, type SealedColumn, type SealedPlan } from '../../plan.ts';
import { CONSUME, FORWARD, type Verdict } from '../../wire/frame-stream.ts';
import { isRowTyped, isStoredAs } from '../../columns/stored-type.ts';
import type { ResultOpening } from '../reply.ts';
import { expectHead, needControl, outOfStep, verdictFor, type BackendHandler } from './handler.ts';

export const rowDescriptionHandler: BackendHandler = {
  need: needControl,
  frame(session, bytes, start, bodyLength): Verdict {
    const head = expectHead(session, 'RowDescription', 'query', 'describe-statement', 'describe-portal');
    if (session.refusal !== undefined) throw outOfStep('RowDescription for a refused message');
    const { opening } = session;
    if (head.kind !== 'query') session.finish();
    if (opening === undefined) return verdictFor(head);
    const frame = logicalFrame(bytes.subarray(start, start + bodyLength), opening);
    session.verified.add(opening.plan);
    if (opening.plan.shown !== undefined) {
      const fields = decodeRowDescription(bytes.subarray(start, start + bodyLength));
      session.describedTypes.set(
        opening.plan,
        fields.map(({ typeOid }) => typeOid),
      );
    }
    if (head.internal === undefined) session.wires.toClient(frame);
    return CONSUME;
  },
};

/** The last description of results that was found right under `origins`, and what the client got in its place. */
type Described = {
  readonly body: Uint8Array;
  readonly formats: string;
  readonly frame: Uint8Array;
} & Pick<SealedPlan, 'origins' | 'forbiddenOrigins'>;
/** By a plan's `results`, which the plans of all texts that differ in literals alone have in common. */
const lastDescribed = new WeakMap<object, Described>();

/** The frame for the client; the same bytes give the same frame, which a prepared statement's every run asks for. Throws as checkFields. */
function logicalFrame(body: Uint8Array, opening: ResultOpening): Uint8Array {
  const formats = opening.formats.join();
  const { results, origins, forbiddenOrigins } = opening.plan;
  const last = results && lastDescribed.get(results);
  const isKnown = last?.formats === formats && last.origins === origins && last.forbiddenOrigins === forbiddenOrigins;
  if (isKnown && Buffer.compare(last.body, body) === 0) return last.frame;
  const fields = decodeRowDescription(body);
  checkFields(fields, opening.plan);
  const frame = encodeRowDescription(fields.map((field, index) => logicalField(field, index, opening)));
  if (results) lastDescribed.set(results, { body: Uint8Array.from(body), formats, frame, origins, forbiddenOrigins });
  return frame;
}

export const noDataHandler: BackendHandler = {
  need: () => 0,
  frame(session): Verdict {
    const head = expectHead(session, 'NoData', 'describe-statement', 'describe-portal');
    const { results, copy, named } = session.opening?.plan ?? {};
    const comesLater = named?.type === 'declare' || named?.type === 'prepare';
    // The cursor ended with its block, whose end is known here with ReadyForQuery only: FETCH fails when it is run.
    const isGone = named?.type === 'fetch';
    if (results !== undefined && copy === undefined && !comesLater && !isGone)
      throw mismatch('the statement returns no rows');
    session.finish();
    head.internal?.done?.(true);
    return head.internal === undefined ? FORWARD : CONSUME;
  },
};

/** Throws ERR_POSTGRES_ORIGIN_MISMATCH unless server and analysis agree on where each result comes from. */
export function checkFields(fields: readonly FieldDescription[], plan: SealedPlan): void {
  const { results, origins, forbiddenOrigins } = plan;
  if (results !== undefined && results.length !== fields.length) throw mismatch('another number of columns');
  fields.forEach((field, index) => {
    const column = results?.[index];
    if (column !== undefined && !isStoredAs(column, field.typeOid))
      throw mismatch(`column ${index + 1} is not of a sealed type`);
    if (column === undefined && forbiddenOrigins.has(originKey(field.relationOid, field.attnum))) {
      throw mismatch(`column ${index + 1} comes from a sealed column`);
    }
    const origin = origins?.[index];
    if (origin !== undefined && !agrees(field, origin)) throw mismatch(`column ${index + 1} comes from elsewhere`);
  });
}

function agrees(field: FieldDescription, origin: ResultOrigin): boolean {
  switch (origin.type) {
    case 'any':
      return true;
    case 'expression':
      return field.relationOid === 0 && field.attnum === 0;
    case 'column':
      return field.relationOid === origin.relationOid && field.attnum === origin.attnum;
  }
}

/** As the client shall see it: the logical type; a statement's Describe says format 0 for all, as the server does. */
function logicalField(field: FieldDescription, index: number, opening: ResultOpening): FieldDescription {
  const column: SealedColumn | undefined = opening.plan.results?.[index];
  if (column === undefined) return field;
  const format = formatAt(opening.formats, index);
  if (isRowTyped(column)) return { ...field, format };
  const { oid, typlen, typmod } = column.type;
  return { ...field, typeOid: oid, typlen, typmod, format };
}

function mismatch(what: string): PostgresError {
  const message = `the server and the analysis disagree about a statement on sealed columns: ${what}`;
  return new PostgresError('ERR_POSTGRES_ORIGIN_MISMATCH', message, { sqlstate: 'XX000' });
}
