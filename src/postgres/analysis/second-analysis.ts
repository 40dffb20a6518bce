/**
 * The server's own analysis of a statement, against the shadow: what types its parameters have, where its results come from, which
 * columns it refers to. Where it differs from ours, or gives no answer, the statement is refused.
 *
 * Invariant: no sealed literal is sent; each stands as a parameter.
 */
import { MAX_DESCRIBED_PARAMETERS } from '../limits.ts';
import { originKey, type LogicalType, type SealedColumn, type SealedLiteral, type SealedPlan } from '../plan.ts';
import { clientPosition } from '../positions.ts';
import type { StatementDescription } from '../service/describe.ts';
import { ServiceError } from '../service/errors.ts';
import { isRowTyped, isStoredAs } from '../columns/stored-type.ts';
import { quoteIdentifier, quoteQualified } from '../service/names.ts';
import { isText, typeLike } from '../types/registry.ts';
import type { Analysis } from './query/analysis.ts';
import { acceptsType } from './expressions/constants.ts';
import { isList, splice, type Edit } from './text/edits.ts';
import { AnalysisError } from './errors.ts';
import type { ParameterUse } from './expressions/parameters.ts';
import type { ShadowRelation, ShadowSource } from './catalog/shadow.ts';
import type { FittedText, StandInNames } from './catalog/stand-in-names.ts';
import { readsAlike } from './expressions/reads-alike.ts';
import type { ServerAnswer, ServerAnswers } from './server-answers.ts';
import { requireServersOwn } from './servers-own.ts';
import { serverReferences, type Added, type ServerReferences } from './server-references.ts';
import { elementType } from './text/syntax.ts';
import { columnName, type OutputColumn } from './expressions/values.ts';

export type SecondOpinion = {
  readonly analysis: Analysis;
  /** Byte offsets of the query itself (without EXPLAIN). */
  readonly start: number;
  readonly end: number;
  readonly outputs: readonly OutputColumn[];
};

type ShadowStatement = {
  readonly sql: string;
  readonly oids: readonly number[];
  readonly expected: ReadonlyMap<number, ExpectedParameter>;
} & Pick<SealedPlan, 'pieces' | 'piecePlaces'>;

/** `text`: it may be text as well, as any value is before it is cast. */
type ExpectedParameter = Omit<ParameterUse, 'location' | 'cast'> & { readonly text: boolean };

/** What the server knows better: the types of sealed results, and of the client's sealed parameters by number. */
export type Agreement = {
  readonly results: readonly (LogicalType | undefined)[];
  readonly parameterOids: ReadonlyMap<number, number>;
};

const NOTHING_HOT: Agreement = { results: [], parameterOids: new Map() };

/** Resolves when both agree. `answers`: of the statements of one message. Errors: ERR_POSTGRES_DISAGREEMENT, ERR_POSTGRES_CATALOG. */
export async function requireAgreement(
  shadows: ShadowSource,
  opinion: SecondOpinion,
  answers?: ServerAnswers,
): Promise<Agreement> {
  const { analysis, outputs } = opinion;
  const isHot = [...analysis.relations.values()].some(({ hot }) => hot);
  // The hot names in it turned out to be other relations; it goes upstream with their schemas written out, so they stay others.
  if (!isHot) return NOTHING_HOT;
  let place = -1;
  const compare = ({ description, shadowed }: DescribedAnswer): Agreement['results'] => {
    compareParameters(shadowStatement(opinion, shadowed), description);
    return compareResults(outputs, description, shadowed);
  };
  const ask = (): Promise<ServerAnswer> =>
    askServer(shadows, opinion, { described: compare, faulty: (found) => (place = found) });
  try {
    const known = answers?.of(analysis, shadowStatement(opinion, NO_SHADOWS), ask);
    const answer = await (known ?? ask());
    const results = compare(answer);
    compareReferences(analysis, placesOf(answer.columns, answer.shadowed));
    requireServersOwn(analysis, answer.added);
    const numbers = [...analysis.parameters.sealed.keys()];
    const parameters = numbers.map((number): [number, number] => [
      number,
      answer.description.parameterOids[number - 1] ?? 0,
    ]);
    return { results, parameterOids: new Map(parameters) };
  } catch (error) {
    throw asRefusal(error, place);
  }
}

const NO_SHADOWS: ReadonlyMap<number, ShadowRelation> = new Map();

type DescribedAnswer = Pick<ServerAnswer, 'description' | 'shadowed'>;

/** `described`: throws where it is not as expected; `faulty`: told where the server finds fault with it. */
async function askServer(
  shadows: ShadowSource,
  opinion: SecondOpinion,
  heard: { readonly described: (answer: DescribedAnswer) => unknown; readonly faulty: (place: number) => void },
): Promise<ServerAnswer> {
  const { analysis } = opinion;
  return await shadows.within(analysis, async (session, { relations: shadowed, names }) => {
    const statement = shadowStatement(opinion, shadowed);
    // What the statement calls unqualified is found where the client's session would find it.
    const { searchPath } = analysis.input;
    const fitted = await names.fit(statement.sql, searchPath);
    const oids = await names.standInOids(statement.oids);
    await session.query(SEARCH_PATH_SQL, [searchPathText(names.searchPath(searchPath))]);
    const answer = await session.describe(fitted.sql, oids).catch((error: unknown) => {
      heard.faulty(placeOf(error, fitted, statement, analysis));
      throw error;
    });
    const description = names.described(answer);
    heard.described({ description, shadowed });
    const { serverVersion } = analysis.catalog.facts;
    const hot = [...analysis.relations.values()].find((relation) => relation.hot);
    const described = { sql: fitted.sql, description: answer };
    const { columns, added } = await serverReferences(session, described, hot?.shadowSchema ?? '', serverVersion);
    return { description, columns, added: inOwnTypes(added, names), shadowed };
  });
}

function inOwnTypes(added: readonly Added[], names: StandInNames): readonly Added[] {
  return added.map((one) => ({ ...one, operands: one.operands.map((oid) => names.realOid(oid)) }));
}

const SEARCH_PATH_SQL = "SELECT set_config('search_path', $1, true)";

/** Temporary schemas are a session's own: the service connection's would be another one. */
function searchPathText(searchPath: readonly string[]): string {
  return searchPath
    .filter((schema) => !schema.startsWith('pg_temp'))
    .map(quoteIdentifier)
    .join(', ');
}

/** Where the server finds fault with the statement, as a byte offset of the client's text. */
function placeOf(error: unknown, fitted: FittedText, statement: ShadowStatement, { source }: Analysis): number {
  const cause: unknown = error instanceof ServiceError ? error.cause : error;
  const said = typeof cause === 'object' && cause !== null && 'position' in cause ? Number(cause.position) : 0;
  const position = clientPosition(fitted.positionBefore(said) ?? 0, statement);
  return position === undefined ? -1 : source.offset(position);
}

/** `location`: a byte offset. */
function asRefusal(error: unknown, location: number): unknown {
  if (!(error instanceof ServiceError)) return error;
  if (error.code === 'ERR_POSTGRES_SERVICE_QUERY') {
    const hint =
      'Run the statement without sealed columns to see what the server says; qualify names and add casts to parameters.';
    return new AnalysisError(
      'ERR_POSTGRES_DISAGREEMENT',
      error.sqlstate,
      `the server does not accept the statement (SQLSTATE ${error.sqlstate})`,
      location,
      hint,
    );
  }
  return new AnalysisError('ERR_POSTGRES_CATALOG', '57P03', 'the service connection to the database failed');
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

function tooMany(): AnalysisError {
  return new AnalysisError(
    'ERR_POSTGRES_SEALED_STATEMENT',
    '54000',
    `a statement on sealed columns may have at most ${MAX_DESCRIBED_PARAMETERS} parameters and sealed constants`,
    -1,
    'Send it in several statements of fewer rows.',
  );
}

/** The statement over the shadow, every sealed literal a parameter after the client's own. */
function shadowStatement(
  { analysis, start, end }: SecondOpinion,
  shadowed: ReadonlyMap<number, ShadowRelation>,
): ShadowStatement {
  const expected = new Map<number, ExpectedParameter>();
  const oids: number[] = [...analysis.input.declaredOids];
  let next = oids.length;
  for (const number of [...analysis.parameters.sealed.keys(), ...analysis.parameters.plain])
    next = Math.max(next, number);
  for (const [number, use] of analysis.parameters.sealed)
    expected.set(number, { ...use, text: analysis.texts.has(`$${number}`) });
  const edits: Edit[] = [...analysis.shadowEdits];
  const seen = new Set<number>();
  for (const edit of analysis.edits) {
    if (typeof edit.replacement === 'string' || isList(edit.replacement) || seen.has(edit.start)) continue;
    seen.add(edit.start);
    next += 1;
    const { column, purpose = 'store', shape = 'scalar', declaredOid } = edit.replacement;
    expected.set(next, { column, purpose, shape, declaredOid, text: analysis.texts.has(edit.start) });
    while (oids.length < next) oids.push(0);
    oids[next - 1] = edit.constantOid ?? 0;
    edits.push({ ...edit, replacement: `$${next}` });
  }
  if (next > MAX_DESCRIBED_PARAMETERS) throw tooMany();
  for (const { relation, start: from, end: to } of analysis.relationNames) {
    const schema = shadowed.get(relation.oid)?.schema ?? relation.schema;
    edits.push({ start: from, end: to, replacement: quoteQualified(schema, relation.name) });
  }
  for (const { relation, start: from, end: to } of analysis.schemaNames) {
    const schema = shadowed.get(relation.oid)?.schema;
    if (schema === undefined) continue;
    edits.push({ start: from, end: to, replacement: quoteIdentifier(schema) });
  }
  const { pieces, places } = splice(analysis.source, start, end, edits);
  const sql = pieces.filter((piece): piece is string => typeof piece === 'string').join('');
  return { sql, oids, expected, pieces, piecePlaces: places };
}

const TEXT_OID = 25;

function compareParameters({ expected }: ShadowStatement, { parameterOids }: StatementDescription): void {
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

function compareResults(
  outputs: readonly OutputColumn[],
  { fields }: StatementDescription,
  shadowed: ReadonlyMap<number, ShadowRelation>,
): readonly (LogicalType | undefined)[] {
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
function placesOf(
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

function compareReferences(analysis: Analysis, server: ReadonlySet<string>): void {
  for (const place of server) {
    if (!analysis.references.has(place) && !analysis.writes.has(place))
      throw disagree('it refers to a sealed column that was not found in it');
  }
  for (const place of analysis.references) {
    if (!server.has(place)) throw disagree('it does not refer to a sealed column that was found in it');
  }
}

/** For type narrowing in tests and callers. */
export function isSealedLiteral(piece: string | SealedLiteral): piece is SealedLiteral {
  return typeof piece !== 'string';
}

/** Of the client's text, which no cache may keep. */
export function isClientLiteral(piece: string | SealedLiteral): piece is SealedLiteral {
  return isSealedLiteral(piece) && piece.isDefault !== true;
}
