/**
 * The type of a column rule: PostgreSQL's spelling, and how values of it compare. `src/postgres/types/` holds the facts that the wire
 * needs; a test in the cli room keeps the two of one mind.
 */

export type ColumnType = {
  /** PostgreSQL's spelling: `varchar(20)`. */
  readonly text: string;
  /** Types of one class compare equal by their canonical bytes. Undefined: equality is not equality of bytes, so the type cannot be deterministic. */
  readonly comparison: string | undefined;
  /** So few values that a deterministic column would show them all by how often they occur. */
  readonly fewValues: boolean;
};

type Modifier = 'none' | 'length' | 'bits' | 'precision' | 'float' | 'numeric';
type TypeFacts = { readonly comparison: string | undefined; readonly modifier: Modifier };

const fact = (comparison: string | undefined, modifier: Modifier = 'none'): TypeFacts => ({ comparison, modifier });

const FACTS: Readonly<Record<string, TypeFacts>> = {
  text: fact('text'),
  varchar: fact('text', 'length'),
  'character varying': fact('text', 'length'),
  char: fact('text', 'length'),
  character: fact('text', 'length'),
  int2: fact('number'),
  smallint: fact('number'),
  int4: fact('number'),
  int: fact('number'),
  integer: fact('number'),
  int8: fact('number'),
  bigint: fact('number'),
  numeric: fact('number', 'numeric'),
  decimal: fact('number', 'numeric'),
  float4: fact(undefined),
  real: fact(undefined),
  float8: fact(undefined),
  float: fact(undefined, 'float'),
  'double precision': fact(undefined),
  bool: fact('bool'),
  boolean: fact('bool'),
  bytea: fact('bytea'),
  date: fact('date'),
  time: fact('time', 'precision'),
  'time without time zone': fact('time', 'precision'),
  timetz: fact('timetz', 'precision'),
  'time with time zone': fact('timetz', 'precision'),
  timestamp: fact('timestamp', 'precision'),
  'timestamp without time zone': fact('timestamp', 'precision'),
  timestamptz: fact('timestamptz', 'precision'),
  'timestamp with time zone': fact('timestamptz', 'precision'),
  interval: fact(undefined, 'precision'),
  uuid: fact('uuid'),
  inet: fact('inet'),
  cidr: fact('inet'),
  macaddr: fact('macaddr'),
  macaddr8: fact('macaddr8'),
  bit: fact('bit', 'bits'),
  varbit: fact('bit', 'bits'),
  'bit varying': fact('bit', 'bits'),
  json: fact(undefined),
  jsonb: fact(undefined),
};

export const TYPE_NAMES: readonly string[] = Object.keys(FACTS);

/** Types of PostgreSQL that are not sealed, and why. */
const REFUSED: readonly (readonly [RegExp, string])[] = [
  [/^money$/u, 'money reads and prints by the server’s locale: use numeric(p,s)'],
  [/^citext$/u, 'citext compares without regard to case, by the server’s locale: use text'],
  [/^interval [a-z]/u, 'an interval of certain fields reads a bare number in other ways in each place: use interval'],
  [/^bpchar$/u, 'char without a length keeps blanks that its comparisons do not look at: use char(n) or text'],
  [/^(?:name|"char"|oid|xid8?|cid|tid|reg[a-z]+|pg_lsn|pg_snapshot)$/u, 'types of the catalog are not sealed'],
  [/^(?:point|line|lseg|box|path|polygon|circle)$/u, 'geometric types compare by nearness: they are not sealed'],
  [/range$/u, 'ranges are not sealed: seal their ends in columns of their own'],
  [
    /^(?:tsvector|tsquery|xml|jsonpath|hstore|ltree)$/u,
    'this type is there for the server to search in, which it cannot: use text or jsonb',
  ],
];

/** Why a type is not sealed although PostgreSQL has it; undefined: nothing is known of it. */
export function refusedType(text: string): string | undefined {
  const name = text.trim().toLowerCase().replace(ARRAY, '');
  return REFUSED.find(([pattern]) => pattern.test(name))?.[1];
}

const ARRAY = /(?:\s*\[\s*\d*\s*\])+$/u;
const IDENTIFIER = '(?:[a-zA-Z_][a-zA-Z0-9_$]*|"(?:[^"]|"")+")';
const OF_DATABASE = new RegExp(`^${IDENTIFIER}\\s*\\.\\s*${IDENTIFIER}\\s*(?:\\[\\s*\\d*\\s*\\]\\s*)*$`, 'u');
const ZONED = /^(time|timestamp) ?(\([^)]*\)) ?(with(?:out)? time zone)$/u;

/** The type, or undefined where PostgreSQL or Sealgate has no such type. An enum or domain, `schema.name`, is looked up in the database. */
export function parseColumnType(text: string): ColumnType | undefined {
  const trimmed = text.trim();
  if (OF_DATABASE.test(trimmed))
    return { text: trimmed, comparison: ARRAY.test(trimmed) ? undefined : `type ${trimmed}`, fewValues: false };
  const written = trimmed.toLowerCase().replaceAll(/\s+/gu, ' ');
  const scalar = written.replace(ARRAY, '');
  const type = parseScalar(scalar);
  if (type === undefined || scalar === written) return type;
  return { text: `${type.text}[]`, comparison: undefined, fewValues: false };
}

function parseScalar(text: string): ColumnType | undefined {
  // The precision stands before the time zone.
  const reordered = text.replace(ZONED, '$1 $3$2');
  const match = /^([a-z0-9]+(?: [a-z]+)*) ?(?:\( ?(\d{1,9}) ?(?:, ?(-?\d{1,4}) ?)?\))?$/u.exec(reordered);
  const name = match?.[1] ?? '';
  const facts = Object.hasOwn(FACTS, name) ? FACTS[name] : undefined;
  if (match === null || facts === undefined) return undefined;
  const [, , first, second] = match;
  const bare = first === undefined;
  if (!bare && !modifierFits(facts.modifier, Number(first), second === undefined ? undefined : Number(second)))
    return undefined;
  return {
    text: bare
      ? name
      : text
          .replace(/ ?\( ?/u, '(')
          .replace(/ ?, ?/u, ',')
          .replace(/ \)/u, ')'),
    comparison: bare && facts.modifier === 'numeric' ? undefined : facts.comparison,
    fewValues: facts.comparison === 'bool' || isOneSign(name, first),
  };
}

/** bit and char of one. */
function isOneSign(name: string, length: string | undefined): boolean {
  const isFixed = name === 'bit' || name === 'char' || name === 'character';
  return isFixed && (length === undefined || length === '1');
}

const MAX_LENGTH = 10_485_760;
const MAX_PRECISION = 1000;
const MAX_TIME_PRECISION = 6;
const MAX_FLOAT_DIGITS = 53;

function modifierFits(modifier: Modifier, first: number, second: number | undefined): boolean {
  const within = (least: number, most: number): boolean => second === undefined && first >= least && first <= most;
  switch (modifier) {
    case 'none':
      return false;
    case 'length':
      return within(1, MAX_LENGTH);
    case 'bits':
      return within(1, 8 * MAX_LENGTH);
    case 'precision':
      return within(0, MAX_TIME_PRECISION);
    case 'float':
      return within(1, MAX_FLOAT_DIGITS);
    case 'numeric':
      return first >= 1 && first <= MAX_PRECISION && Math.abs(second ?? 0) <= MAX_PRECISION;
  }
}
