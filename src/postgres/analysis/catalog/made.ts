/**
 * Schemas, types, sequences, functions and operators that an open transaction has made and nobody else can see: what is known of them, and how the transaction is asked.
 * Tables are not among them: the catalog has all of those.
 */
import { z } from 'zod';

const Name = z.object({ oid: z.number(), schema: z.string(), schemaOid: z.number(), name: z.string() });

export const MadeSnapshot = z.object({
  /** Each in itself. */
  schemas: z.array(Name),
  types: z.array(
    Name.extend({
      arrayOid: z.number(),
      kind: z.enum(['TYPE', 'DOMAIN', 'RANGE', 'MULTIRANGE']),
      /** Of an extension: what stands for it is over text, and takes no modifier. */
      isBase: z.boolean(),
      /** What follows AS; of a range its elements' type, of a multirange nothing. */
      definition: z.string(),
      /** pg_type.oid of that of a multirange. */
      range: z.number().nullable(),
    }),
  ),
  sequences: z.array(Name),
  /** As pg_get_function_arguments and pg_get_function_result print them under search_path pg_catalog. */
  functions: z.array(Name.extend({ isAggregate: z.boolean(), parameters: z.string(), result: z.string() })),
  /** `left`: null of one that stands before its operand. */
  operators: z.array(Name.extend({ left: z.string().nullable(), right: z.string(), result: z.string() })),
  /** Casts to text, varchar or char(n) are among it, which print otherwise than the type does. */
  castsToText: z.boolean(),
});

type Snapshot = z.infer<typeof MadeSnapshot>;
/** `standInSchema`: where what stands for it is made. */
type InSchema<Item> = Omit<Item, 'schemaOid'> & { readonly standInSchema: string };

export type MadeType = InSchema<Snapshot['types'][number]>;
export type MadeSchema = InSchema<Snapshot['schemas'][number]>;
export type MadeSequence = InSchema<Snapshot['sequences'][number]>;
export type MadeFunction = InSchema<Snapshot['functions'][number]>;
export type MadeOperator = InSchema<Snapshot['operators'][number]>;

export type Made = {
  readonly schemas: readonly MadeSchema[];
  readonly types: readonly MadeType[];
  readonly sequences: readonly MadeSequence[];
  readonly functions: readonly MadeFunction[];
  readonly operators: readonly MadeOperator[];
};

export function madeOf(
  { schemas, types, sequences, functions, operators }: Snapshot,
  standInSchema: (schemaOid: number) => string,
): Made {
  const placed = <Item extends { readonly schemaOid: number }>(items: readonly Item[]): InSchema<Item>[] =>
    items.map(({ schemaOid, ...item }) => ({ ...item, standInSchema: standInSchema(schemaOid) }));
  return {
    schemas: placed(schemas),
    types: placed(types),
    sequences: placed(sequences),
    functions: placed(functions),
    operators: placed(operators),
  };
}

/** Of the committed catalog: the server knows. */
export const NOTHING_MADE_SQL = `'{"schemas": [], "types": [], "sequences": [], "functions": [], "operators": [], "castsToText": false}'::json`;

/** Rows of the transaction itself are never older than the oldest transaction that is open; what others have committed since is among them. */
const isRecent = (row: string): string => `age(${row}.xmin) <= age(pg_snapshot_xmin(pg_current_snapshot())::xid)`;
const named = (row: string, name: string): string =>
  `'oid', ${row}.oid::int8, 'schema', n.nspname, 'schemaOid', n.oid::int8, 'name', ${row}.${name}`;

/** No array, which comes with its element. */
const IS_BASE = `(t.typtype = 'b' AND t.typcategory <> 'A')`;

/** Before PostgreSQL 14 there are no multiranges, and no column of pg_range says so. */
const RANGE_OF = `(SELECT d.refobjid::int8 FROM pg_depend d
  WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.refclassid = 'pg_type'::regclass AND d.deptype = 'i')`;

/**
 * Left out is what cannot be stood for or is no part of a statement on tables: rows of tables, procedures, window functions, ordered-set aggregates. A
 * range's constructors come with its type. A base type's input is its own: any constant of it is taken for one, as of a text.
 */
export const MADE_SQL = `json_build_object(
  'schemas', (SELECT coalesce(json_agg(json_build_object(${named('n', 'nspname')})), '[]') FROM pg_namespace n WHERE n.oid >= 16384 AND ${isRecent('n')}),
  'types', (SELECT coalesce(json_agg(json_build_object(${named('t', 'typname')}, 'arrayOid', t.typarray::int8,
      'kind', CASE WHEN t.typtype IN ('d', 'b') THEN 'DOMAIN' WHEN t.typtype = 'r' THEN 'RANGE' WHEN t.typtype = 'm' THEN 'MULTIRANGE' ELSE 'TYPE' END,
      'isBase', t.typtype = 'b', 'range', CASE WHEN t.typtype = 'm' THEN ${RANGE_OF} END,
      'definition', CASE t.typtype
        WHEN 'b' THEN 'text'
        WHEN 'd' THEN format_type(t.typbasetype, t.typtypmod)
        WHEN 'e' THEN (SELECT format('ENUM (%s)', string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)) FROM pg_enum e WHERE e.enumtypid = t.oid)
        WHEN 'r' THEN (SELECT format_type(r.rngsubtype, NULL) FROM pg_range r WHERE r.rngtypid = t.oid)
        WHEN 'm' THEN ''
        ELSE (SELECT format('(%s)', string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' ORDER BY a.attnum))
          FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) END)), '[]')
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_class c ON c.oid = t.typrelid
    WHERE t.oid >= 16384 AND ${isRecent('t')} AND (t.typtype IN ('d', 'e', 'r', 'm') OR c.relkind = 'c' OR ${IS_BASE})),
  'sequences', (SELECT coalesce(json_agg(json_build_object(${named('c', 'relname')})), '[]')
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'S' AND ${isRecent('c')}),
  'functions', (SELECT coalesce(json_agg(json_build_object(${named('p', 'proname')},
      'isAggregate', p.prokind = 'a', 'parameters', pg_get_function_arguments(p.oid), 'result', pg_get_function_result(p.oid))), '[]')
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
    LEFT JOIN pg_aggregate a ON a.aggfnoid = p.oid
    WHERE p.oid >= 16384 AND (p.prokind = 'f' AND l.lanname <> 'internal' OR a.aggkind = 'n') AND ${isRecent('p')}),
  'operators', (SELECT coalesce(json_agg(json_build_object(${named('o', 'oprname')}, 'right', format_type(o.oprright, NULL),
      'left', CASE WHEN o.oprleft <> 0 THEN format_type(o.oprleft, NULL) END, 'result', format_type(o.oprresult, NULL))), '[]')
    FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace
    WHERE o.oid >= 16384 AND o.oprcode <> 0 AND o.oprright <> 0 AND ${isRecent('o')}),
  'castsToText', EXISTS (SELECT FROM pg_cast k WHERE k.oid >= 16384 AND k.castmethod <> 'i' AND k.casttarget IN (25, 1043, 1042) AND ${isRecent('k')}))`;
