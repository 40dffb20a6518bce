/** Types as a rule writes them, in PostgreSQL's spelling, and as format_type prints them. */
import type { LogicalType } from '../plan.ts';
import { ValueError } from './errors.ts';
import { modifierText, typmodOf } from './modifiers.ts';
import { arrayOf, logicalType } from './registry.ts';
import { ALIASES, type BuiltinTypeName, isBuiltinTypeName, TYPES } from './type-facts.ts';

const ARRAY = /(?:\s*\[\s*\d*\s*\])+$/;
const ZONED = /^(time|timestamp)\s*(?:\(\s*(\d)\s*\))?\s+(with|without) time zone$/;
const NAMED = /^([a-z0-9]+(?: [a-z]+)*)\s*(?:\(\s*(\d{1,9})\s*(?:,\s*(-?\d{1,4})\s*)?\))?$/;
/** Binary digits from which float(p) is a float8: makeFloat... in gram.y. */
const FLOAT8_FROM = 25;
const FLOAT_MOST = 53;

/**
 * A type of the server as a rule writes it: `varchar(20)`, `numeric(10,2)`, `timestamp(3) with time zone`, `text[]`.
 *
 * Errors: ERR_POSTGRES_TYPE_UNKNOWN.
 */
export function parseLogicalType(text: string): LogicalType {
  const written = text.trim().toLowerCase().replace(/\s+/g, ' ');
  const scalar = written.replace(ARRAY, '');
  const type = parseScalar(scalar);
  if (type === undefined) throw unknownType(text);
  return scalar === written ? type : arrayOf(type);
}

function parseScalar(text: string): LogicalType | undefined {
  const zoned = ZONED.exec(text);
  if (zoned !== null) return parseNamed(`${zoned[1] ?? ''}${zoned[3] === 'with' ? 'tz' : ''}`, zoned[2], undefined);
  const [, name = '', first, second] = NAMED.exec(text) ?? [];
  if (name === 'float' && first !== undefined) return parseFloatType(Number(first), second);
  return parseNamed(name, first, second);
}

function parseFloatType(digits: number, second: string | undefined): LogicalType | undefined {
  if (second !== undefined || digits < 1 || digits > FLOAT_MOST) return undefined;
  return logicalType(digits < FLOAT8_FROM ? 'float4' : 'float8');
}

function parseNamed(written: string, first: string | undefined, second: string | undefined): LogicalType | undefined {
  const name = isBuiltinTypeName(written) ? written : ALIASES[written];
  if (name === undefined) return undefined;
  if (first === undefined) return bare(name, written);
  const typmod = typmodOf(name, Number(first), second === undefined ? undefined : Number(second));
  return typmod === undefined ? undefined : logicalType(name, typmod);
}

/** char and bit have a length of 1 unless told; bpchar without one keeps the blanks that its comparisons do not look at. */
function bare(name: BuiltinTypeName, written: string): LogicalType | undefined {
  if (written === 'bpchar') return undefined;
  if (name !== 'bpchar' && name !== 'bit') return logicalType(name);
  return logicalType(name, typmodOf(name, 1, undefined));
}

function unknownType(text: string): ValueError {
  const known = Object.keys(TYPES).join(', ');
  return new ValueError(
    'ERR_POSTGRES_TYPE_UNKNOWN',
    '42704',
    `no such logical type: ${text} (known: ${known}; enums and domains by schema and name)`,
  );
}

/** The type as format_type prints it, and DDL writes it: `character varying(20)`. */
export function formatLogicalType(type: LogicalType): string {
  const { name, element, user, domain } = type;
  if (domain !== undefined) return qualified(domain);
  if (element !== undefined) return `${formatLogicalType(element)}[]`;
  if (user !== undefined) return qualified(user);
  if (name === 'enum' || name === 'array') throw new TypeError('an enum or array without its facts');
  const [first = '', ...rest] = TYPES[name].sqlName.split(' ');
  // The precision stands before the time zone, every other modifier at the end.
  if (name.startsWith('time')) return [first + modifierText(type), ...rest].join(' ');
  return TYPES[name].sqlName + modifierText(type);
}

const IDENTIFIER = '(?:[a-zA-Z_][a-zA-Z0-9_$]*|"(?:[^"]|"")+")';
const USER_TYPE = new RegExp(`^\\s*(${IDENTIFIER})\\s*\\.\\s*(${IDENTIFIER})\\s*((?:\\[\\s*\\d*\\s*\\]\\s*)*)$`);

export type UserTypeName = { readonly schema: string; readonly name: string; readonly isArray: boolean };

/** An enum or domain of the database, `schema.name`; undefined: no such name. */
export function parseUserType(text: string): UserTypeName | undefined {
  const [, schema, name, brackets = ''] = USER_TYPE.exec(text) ?? [];
  if (schema === undefined || name === undefined) return undefined;
  return { schema: unquoted(schema), name: unquoted(name), isArray: brackets !== '' };
}

function unquoted(identifier: string): string {
  return identifier.startsWith('"') ? identifier.slice(1, -1).replaceAll('""', '"') : identifier.toLowerCase();
}

/** A rule's type as format_type prints it, whether the server's or the database's own. Errors: ERR_POSTGRES_TYPE_UNKNOWN. */
export function formatRuleType(text: string): string {
  const user = parseUserType(text);
  if (user === undefined) return formatLogicalType(parseLogicalType(text));
  return `${qualified(user)}${user.isArray ? '[]' : ''}`;
}

/** Quoted where it must be: format_type quotes no more. */
function qualified({ schema, name }: { readonly schema: string; readonly name: string }): string {
  return [schema, name]
    .map((part) => (/^[a-z_][a-z0-9_$]*$/.test(part) ? part : `"${part.replaceAll('"', '""')}"`))
    .join('.');
}
