/** What the server says of a statement against what was found here. Each throws ERR_POSTGRES_DISAGREEMENT where they differ. */
import { originKey, type LogicalType, type SealedColumn } from '../plan.ts';
import { isRowTyped, isStoredAs } from '../columns/stored-type.ts';
import type { StatementDescription } from '../service/describe.ts';
import { isText, typeLike } from '../types/registry.ts';
import type { ShadowRelation } from './catalog/shadow.ts';
import { AnalysisError } from './errors.ts';
import { acceptsType } from './expressions/constants.ts';
import { placedColumns, requireNoSealed } from './expressions/counts.ts';
import { readsAlike } from './expressions/reads-alike.ts';
import { columnName, PLAIN, type OutputColumn } from './expressions/values.ts';
import type { Analysis } from './query/analysis.ts';
import type { ServerReferences } from './server-references.ts';
import type { ShadowStatement } from './shadow-statement.ts';
import { elementType } from './text/syntax.ts';

const TEXT_OID = 25;

export function compareParameters({ expected }: ShadowStatement, { parameterOids }: StatementDescription): void {
  for (const [number, { column, shape, purpose, declaredOid, text }] of expected) {
    const oid = parameterOids[number - 1];
    if (text && oid === TEXT_OID) continue;
    const element = oid !== undefined && shape === 'array' ? elementOid(column.type, oid) : oid;
    if (element === undefined || !acceptsType(column.type, element, purpose)) {
      throw disagree(`a value of ${columnName(column)} has a type (OID ${oid ?? 0}) which that column does not`);
    }
    const isCompared = purpose === 'compare' || purpose === 'both';
    if (isCompared && !readsAlike(column.type, declaredOid, element))
      throw disagree(`a value compared with ${columnName(column)} is of another type to it (OID ${element})`);
  }
}

/** The element of an array's type. */
function elementOid(type: LogicalType, arrayOid: number): number | undefined {
  return arrayOid === type.arrayOid ? type.oid : elementType(arrayOid, 'array')?.oid;
}

/** With as many columns in place of a `(composite).*` as the server counts. */
export function inNumber(outputs: readonly OutputColumn[], count: number): readonly OutputColumn[] {
  const placed = placedColumns(outputs);
  if (placed === outputs.length) return outputs;
  const plain = (width: number) => Array.from({ length: Math.max(width, 0) }, () => PLAIN_OUTPUT);
  const known = outputs.filter(({ wide }) => wide !== true);
  if (known.length + 1 === outputs.length)
    return outputs.flatMap((column) => (column.wide === true ? plain(count - known.length) : [column]));
  requireNoSealed(outputs, placed, -1);
  return [...outputs.slice(0, placed), ...plain(count - placed)];
}

const PLAIN_OUTPUT: OutputColumn = { name: '', value: PLAIN };

export function compareResults(
  found: readonly OutputColumn[],
  { fields }: StatementDescription,
  shadowed: ReadonlyMap<number, ShadowRelation>,
): readonly (LogicalType | undefined)[] {
  const outputs = inNumber(found, fields.length);
  if (outputs.length !== fields.length) throw disagree(`it has ${fields.length} result columns, not ${outputs.length}`);
  const sealedPlaces = new Map([...shadowed.values()].flatMap((shadow) => [...shadow.sealedPlaces]));
  return fields.map((field, index) => {
    const value = outputs[index]?.value;
    const place = sealedPlaces.get(originKey(field.tableOid, field.attnum));
    if (value?.type !== 'sealed') {
      if (place !== undefined) throw disagree(`result column ${index + 1} comes from a sealed column`);
      return undefined;
    }
    if (value.column.carries !== undefined) return carriedType(value.column, field, index);
    const type = typeLike(value.column.type, field.typeOid, field.typmod);
    if (type === undefined || !printsAs(value.column.type, type))
      throw disagree(`result column ${index + 1} is of another type than ${columnName(value.column)}`);
    if (value.origin.type === 'any') return type;
    const ours = value.origin.type === 'column' ? originKey(value.origin.relationOid, value.origin.attnum) : undefined;
    if (place !== ours) throw disagree(`result column ${index + 1} does not come from ${columnName(value.column)}`);
    return type;
  });
}

/** Its places are checked where it is opened. */
function carriedType(column: SealedColumn, { typeOid, typmod }: DescribedField, index: number): LogicalType {
  const { type } = column;
  const isRight = isRowTyped(column) ? isStoredAs(column, typeOid) : typeOid === type.oid;
  if (!isRight) throw disagree(`result column ${index + 1} has a type (OID ${typeOid}) that was not found`);
  return { ...type, typmod };
}

type DescribedField = StatementDescription['fields'][number];

/** Whether values of one type look the same as those of another: text and varchar do. */
function printsAs(column: LogicalType, result: LogicalType): boolean {
  return column.oid === result.oid || (isText(column) && isText(result));
}

/** Those in the real relations' terms. */
export function placesOf(
  rows: ServerReferences['columns'],
  shadowed: ReadonlyMap<number, ShadowRelation>,
): ReadonlySet<string> {
  const places = new Map([...shadowed.values()].flatMap((shadow) => [...shadow.sealedPlaces]));
  const found = new Set<string>();
  for (const { relation, attribute } of rows) {
    const place = places.get(`${String(relation)}.${String(attribute)}`);
    if (place !== undefined) found.add(place);
  }
  return found;
}

export function compareReferences(analysis: Analysis, server: ReadonlySet<string>): void {
  for (const place of server) {
    if (!analysis.references.has(place) && !analysis.writes.has(place))
      throw disagree('it refers to a sealed column that was not found in it');
  }
  for (const place of analysis.references) {
    if (!server.has(place)) throw disagree('it does not refer to a sealed column that was found in it');
  }
}

function disagree(what: string): AnalysisError {
  return new AnalysisError(
    'ERR_POSTGRES_DISAGREEMENT',
    '0A000',
    `the server understands the statement otherwise: ${what}`,
    -1,
    'Qualify column names and add casts to parameters.',
  );
}
