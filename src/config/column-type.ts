/**
 * The type of a column rule: PostgreSQL's spelling, and how values of it compare. `src/postgres/types/registry.ts` holds the
 * facts that the wire needs; a test in the cli room keeps the two of one mind.
 */

/** Types of one class compare equal by their canonical bytes. */
type ComparisonClass = 'text' | 'number' | 'bool' | 'date' | 'timestamptz' | 'uuid' | 'bytea';

export type ColumnType = {
  /** PostgreSQL's spelling, in small letters: `varchar(20)`. */
  readonly text: string;
  /** Undefined: equality of the values is not equality of bytes, so the type cannot be deterministic. */
  readonly comparison: ComparisonClass | undefined;
  /** So few values that a deterministic column would show them all by how often they occur. */
  readonly fewValues: boolean;
};

const CLASSES: Readonly<Record<string, ComparisonClass | undefined>> = {
  text: 'text',
  varchar: 'text',
  'character varying': 'text',
  int2: 'number',
  smallint: 'number',
  int4: 'number',
  int: 'number',
  integer: 'number',
  int8: 'number',
  bigint: 'number',
  numeric: 'number',
  decimal: 'number',
  bool: 'bool',
  boolean: 'bool',
  date: 'date',
  timestamptz: 'timestamptz',
  'timestamp with time zone': 'timestamptz',
  uuid: 'uuid',
  jsonb: undefined,
  bytea: 'bytea',
};

export const TYPE_NAMES: readonly string[] = Object.keys(CLASSES);

const MAX_VARCHAR = 10_485_760;
const MAX_PRECISION = 1000;

/** The type, or undefined where PostgreSQL or Sealgate has no such type. */
export function parseColumnType(text: string): ColumnType | undefined {
  const match = /^\s*([a-z0-9]+(?: [a-z]+)*)\s*(?:\(\s*(\d{1,8})\s*(?:,\s*(-?\d{1,4})\s*)?\)\s*)?$/u.exec(
    text.toLowerCase().replaceAll(/\s+/gu, ' '),
  );
  const name = match?.[1] ?? '';
  if (match === null || !Object.hasOwn(CLASSES, name)) return undefined;
  const [, , first, second] = match;
  const bare = first === undefined;
  if (!bare && !modifierFits(name, Number(first), second === undefined ? undefined : Number(second))) return undefined;
  const unbounded = (name === 'numeric' || name === 'decimal') && bare;
  const modifier = bare ? '' : `(${first}${second === undefined ? '' : `,${second}`})`;
  return {
    text: `${name}${modifier}`,
    comparison: unbounded ? undefined : CLASSES[name],
    fewValues: CLASSES[name] === 'bool',
  };
}

function modifierFits(name: string, first: number, second: number | undefined): boolean {
  if (name === 'varchar' || name === 'character varying')
    return second === undefined && first >= 1 && first <= MAX_VARCHAR;
  if (name === 'numeric' || name === 'decimal')
    return first >= 1 && first <= MAX_PRECISION && Math.abs(second ?? 0) <= MAX_PRECISION;
  return false;
}
