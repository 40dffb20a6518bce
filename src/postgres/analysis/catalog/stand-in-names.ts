/**
 * What stands, in one transaction of the service connection that is taken back, for types, sequences, functions and operators which only the
 * client's own transaction can see. Their own names are taken by that, and are not to be waited for: these have schemas of ours, each searched right before
 * the one that it stands for, and where a text writes the schema ours is put in its place.
 *
 * They say what the server would make of a statement; nothing of them is ever run.
 */
import type { StatementDescription } from '../../service/describe.ts';
import type { ServiceSession } from '../../service/connection.ts';
import { ServiceError } from '../../service/errors.ts';
import { AnalysisError } from '../errors.ts';
import { quoteIdentifier, quoteLiteral, quoteQualified } from '../../service/names.ts';
import { clientPosition } from '../../positions.ts';
import { splice, type Edit } from '../text/edits.ts';
import { namesInText, type NameInText } from '../text/names-in-text.ts';
import { SourceText } from '../text/source-text.ts';
import type { Made, MadeFunction, MadeOperator, MadeType } from './made.ts';

/** `positionBefore`: in the text that was given, of a position (in characters, from 1) in this one; undefined where it falls into what was put in. */
export type FittedText = { readonly sql: string; positionBefore(position: number): number | undefined };

type Item = { readonly oid: number; readonly schema: string; readonly name: string; readonly standInSchema: string };

/** Bodies are never read; one that is not checked may be empty. */
const NO_BODIES_SQL = "SELECT set_config('check_function_bodies', 'off', true)";
const SEEN_SQL = `
SELECT o.oid::int8::float8 AS oid, n.nspname AS schema, o.name FROM (
    SELECT t.oid, t.typnamespace AS schema, t.typname AS name FROM pg_type t
    UNION ALL SELECT p.oid, p.pronamespace, p.proname FROM pg_proc p UNION ALL SELECT c.oid, c.relnamespace, c.relname FROM pg_class c
    UNION ALL SELECT o.oid, o.oprnamespace, o.oprname FROM pg_operator o UNION ALL SELECT s.oid, s.oid, s.nspname FROM pg_namespace s) o
  JOIN pg_namespace n ON n.oid = o.schema WHERE o.oid = ANY ($1::oid[])`;
const TYPE_SQL = `
SELECT t.oid::int8::float8 AS oid, t.typarray::int8::float8 AS array_oid
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE n.nspname = $1 AND t.typname = $2`;

export class StandInNames {
  readonly #session: ServiceSession;
  readonly #made: Made;
  /** Of what others can see, too. */
  #seen: ReadonlySet<string> | undefined;
  readonly #standing = new Set<Item>();
  /** By the schema that they stand for things in. */
  readonly #schemas = new Map<string, string>();
  readonly #standInOids = new Map<number, number>();
  readonly #realOids = new Map<number, number>();

  constructor(session: ServiceSession, made: Made) {
    this.#session = session;
    this.#made = made;
  }

  /** A statement as it can be said to the service connection under this `searchPath`; what it names is made for that. */
  async fit(sql: string, searchPath: readonly string[]): Promise<FittedText> {
    // JOIN ... USING and CASE compare without saying so.
    for (const made of this.#made.operators.filter(
      ({ name, schema }) => isEquality(name) && searchPath.includes(schema),
    ))
      await this.#ensure(made, () => this.#makeOperator(made));
    return this.#fit(sql, searchPath, ({ schema }) => schema !== undefined);
  }

  /** The same of what the server printed, which leaves the schema out of temporary types, and is run under no path of the client's. */
  async fitPrinted(sql: string): Promise<string> {
    const temporary = this.#made.types.map(({ schema }) => schema).filter((schema) => isSchema(schema, 'pg_temp'));
    const isWritten = ({ kind, schema }: NameInText): boolean => schema !== undefined || kind === 'type';
    return (await this.#fit(sql, temporary, isWritten)).sql;
  }

  async #fit(
    sql: string,
    searchPath: readonly string[],
    isWritten: (name: NameInText) => boolean,
  ): Promise<FittedText> {
    if (Object.values(this.#made).every((made) => made.length === 0)) return unchanged(sql);
    const source = new SourceText(sql);
    const edits: Edit[] = [];
    for (const name of namesInText(source)) {
      const found = (await this.#stand(name, searchPath)) ?? (await this.#emptySchema(name));
      if (found === undefined) continue;
      const end = isBase(found) ? endOfModifiers(name, source) : name.end;
      if (!isWritten(name) && end === name.end) continue;
      const full = quoteQualified(found.standInSchema, found.name);
      edits.push({ start: name.start, end, replacement: name.kind === 'sequence' ? quoteLiteral(full) : full });
    }
    if (edits.length === 0) return unchanged(sql);
    const { pieces, places } = splice(source, 0, source.byteLength, edits);
    const text = pieces.filter((piece): piece is string => typeof piece === 'string').join('');
    return { sql: text, positionBefore: (position) => clientPosition(position, { pieces, piecePlaces: places }) };
  }

  /** What is searched in place of these schemas. */
  searchPath(schemas: readonly string[]): readonly string[] {
    return schemas.flatMap((schema) => {
      const before = this.#schemas.get(schema);
      return before === undefined ? [schema] : [before, schema];
    });
  }

  /** Types by their own OIDs, as a client says them, as those that stand for them. */
  async standInOids(oids: readonly number[]): Promise<readonly number[]> {
    for (const oid of oids) {
      const type = this.#made.types.find((made) => oid !== 0 && (made.oid === oid || made.arrayOid === oid));
      if (type !== undefined) await this.#ensure(type, () => this.#makeType(type));
    }
    return oids.map((oid) => this.#standInOids.get(oid) ?? oid);
  }

  realOid(oid: number): number {
    return this.#realOids.get(oid) ?? oid;
  }

  /** In the client's own terms. */
  described({ parameterOids, fields }: StatementDescription): StatementDescription {
    return {
      parameterOids: parameterOids.map((oid) => this.realOid(oid)),
      fields: fields.map((field) => ({ ...field, typeOid: this.realOid(field.typeOid) })),
    };
  }

  /** The server then says of it what it says of what a schema does not have. */
  async #emptySchema({ kind, schema, name }: NameInText): Promise<Item | undefined> {
    if (schema === undefined || kind === 'operator') return undefined;
    for (const made of this.#made.schemas.filter((one) => isSchema(one.name, schema)))
      if (await this.#ensure(made, () => Promise.resolve())) return { ...made, name };
    return undefined;
  }

  /** Makes what a name may mean, and says what it means where it is written in full. */
  async #stand({ kind, schema, name }: NameInText, searchPath: readonly string[]): Promise<Item | undefined> {
    const { types, sequences, functions, operators } = this.#made;
    const isMeant = (item: Item): boolean =>
      item.name === name && (schema === undefined ? searchPath.includes(item.schema) : isSchema(item.schema, schema));
    let stands: Item | undefined;
    if (kind === 'sequence') {
      for (const sequence of sequences.filter(isMeant))
        if (await this.#ensure(sequence, () => this.#makeSequence(sequence))) stands = sequence;
      return stands;
    }
    if (kind === 'operator') {
      for (const made of operators.filter(isMeant)) await this.#ensure(made, () => this.#makeOperator(made));
      return undefined;
    }
    // A type's name can be called as a function.
    for (const type of types.filter(isMeant)) if (await this.#ensure(type, () => this.#makeType(type))) stands = type;
    if (kind === 'type') return stands;
    for (const made of functions.filter(isMeant))
      if (await this.#ensure(made, () => this.#makeFunction(made))) stands = made;
    return stands;
  }

  /** Whether something stands for it: what others see needs nothing. */
  async #ensure(item: Item, make: () => Promise<void>): Promise<boolean> {
    if (this.#standing.has(item)) return true;
    if (await this.#isSeen(item)) return false;
    this.#standing.add(item);
    await this.#session.query(`CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(item.standInSchema)}`);
    this.#schemas.set(item.schema, item.standInSchema);
    await make();
    return true;
  }

  async #isSeen(item: Item): Promise<boolean> {
    this.#seen ??= await this.#ask();
    return this.#seen.has(keyOf(item));
  }

  async #ask(): Promise<ReadonlySet<string>> {
    const oids = Object.values(this.#made).flatMap((items: readonly Item[]) => items.map(({ oid }) => oid));
    const rows = await this.#session.query<Omit<Item, 'standInSchema'>>(SEEN_SQL, [oids]);
    return new Set(rows.map(keyOf));
  }

  async #makeType(type: MadeType): Promise<void> {
    const { kind, standInSchema, name, definition } = type;
    if (kind === 'MULTIRANGE') return this.#makeMultirange(type);
    const full = quoteQualified(standInSchema, name);
    const text = kind === 'RANGE' ? await this.#rangeDdl(type) : `CREATE ${kind} ${full} AS ${definition}`;
    await this.#session.query(await this.fitPrinted(text));
    for (const made of [type, ...this.#made.types.filter(({ range }) => range === type.oid)]) await this.#note(made);
  }

  /** With the name of its multirange, which may be of another schema. */
  async #rangeDdl({ oid, standInSchema, name, definition }: MadeType): Promise<string> {
    const multirange = this.#made.types.find(({ range }) => range === oid);
    const full = quoteQualified(standInSchema, name);
    if (multirange === undefined) return `CREATE TYPE ${full} AS RANGE (SUBTYPE = ${definition})`;
    await this.#session.query(`CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(multirange.standInSchema)}`);
    const other = quoteQualified(multirange.standInSchema, multirange.name);
    return `CREATE TYPE ${full} AS RANGE (SUBTYPE = ${definition}, MULTIRANGE_TYPE_NAME = ${other})`;
  }

  /** It comes with its range; where others see that, its name alone is of the transaction. */
  async #makeMultirange(multirange: MadeType): Promise<void> {
    const range = this.#made.types.find(({ oid }) => oid === multirange.range);
    if (range === undefined || !(await this.#ensure(range, () => this.#makeType(range)))) throw waits(multirange);
  }

  async #note(type: MadeType): Promise<void> {
    const { standInSchema, name } = type;
    const [row] = await this.#session.query(TYPE_SQL, [standInSchema, name]);
    for (const [real, standIn] of [
      [type.oid, Number(row?.['oid'])],
      [type.arrayOid, Number(row?.['array_oid'])],
    ] as const) {
      this.#standInOids.set(real, standIn);
      this.#realOids.set(standIn, real);
    }
  }

  async #makeSequence({ standInSchema, name }: Item): Promise<void> {
    await this.#session.query(`CREATE SEQUENCE ${quoteQualified(standInSchema, name)}`);
  }

  /**
   * One with a type that cannot be stood for is left out: no value of it comes into a statement here. What is left of an aggregate is a step from its
   * result to its result.
   */
  async #makeFunction({ oid, standInSchema, name, isAggregate, parameters, result }: MadeFunction): Promise<void> {
    const full = quoteQualified(standInSchema, name);
    const step = quoteQualified(standInSchema, `step of ${oid}`);
    const called = isAggregate ? step : full;
    const more = isAggregate ? [result, parameters].filter((part) => part !== '').join(', ') : parameters;
    const texts = [`CREATE FUNCTION ${called}(${more}) RETURNS ${result} LANGUAGE sql AS ''`];
    if (isAggregate)
      texts.push(
        `CREATE AGGREGATE ${full}(${parameters === '' ? '*' : parameters}) (SFUNC = ${step}, STYPE = ${result})`,
      );
    await this.#try(texts);
  }

  async #makeOperator({ oid, standInSchema, name, left, right, result }: MadeOperator): Promise<void> {
    const step = quoteQualified(standInSchema, `step of ${oid}`);
    const operands = left === null ? right : `${left}, ${right}`;
    const sides = left === null ? `RIGHTARG = ${right}` : `LEFTARG = ${left}, RIGHTARG = ${right}`;
    await this.#try([
      `CREATE FUNCTION ${step}(${operands}) RETURNS ${result} LANGUAGE sql AS ''`,
      `CREATE OPERATOR ${quoteIdentifier(standInSchema)}.${name} (${sides}, PROCEDURE = ${step})`,
    ]);
  }

  /** All of them, or none where one cannot be made. */
  async #try(texts: readonly string[]): Promise<void> {
    const fitted: string[] = [];
    for (const text of texts) fitted.push(await this.fitPrinted(text));
    await this.#session.query(NO_BODIES_SQL);
    await this.#session.query('SAVEPOINT standing');
    try {
      for (const sql of fitted) await this.#session.query(sql);
    } catch (error) {
      if (!(error instanceof ServiceError) || error.code !== 'ERR_POSTGRES_SERVICE_QUERY') throw error;
      await this.#session.query('ROLLBACK TO SAVEPOINT standing');
    }
  }
}

function isBase(item: Item | MadeType): boolean {
  return 'isBase' in item && item.isBase;
}

/** Of a type's name, with the modifiers in brackets behind it. */
function endOfModifiers({ kind, start, schema, end }: NameInText, source: SourceText): number {
  const first = source.tokenAt(start);
  if (kind !== 'type' || first === undefined) return end;
  let next = first + (schema === undefined ? 1 : 3);
  if (source.tokenText(next) !== '(') return end;
  // There are no brackets within them.
  while (next < source.tokens.length && source.tokenText(next) !== ')') next += 1;
  return source.tokens[next]?.end ?? end;
}

function waits({ schema, name }: Item): AnalysisError {
  return new AnalysisError(
    'ERR_POSTGRES_CATALOG',
    '0A000',
    `type ${quoteQualified(schema, name)} was made in this transaction: statements on sealed columns that name it wait for its end`,
    -1,
    'Commit first.',
  );
}

function keyOf({ oid, schema, name }: Omit<Item, 'standInSchema'>): string {
  return `${oid} ${schema}\u0000${name}`;
}

function isEquality(operator: string): boolean {
  return operator === '=' || operator === '<>';
}

function isSchema(schema: string, written: string): boolean {
  return schema === written || (written === 'pg_temp' && schema.startsWith('pg_temp_'));
}

function unchanged(sql: string): FittedText {
  return { sql, positionBefore: (position) => position };
}
