/** A table with a column of every type, sealed or plain, and values for each. */
import { since } from '../../support/postgres/versions.ts';
import type { TestRule } from '../../support/postgres/sealed-database.ts';

/** Type, values, and whether equality works on it. */
export const TYPES: readonly (readonly [name: string, type: string, searched: boolean, values: readonly string[]])[] = [
  ['c_text', 'text', true, ['', 'a', 'ü😀', "o'hara"]],
  ['c_varchar', 'varchar(20)', true, ['', 'abc', 'abc ']],
  ['c_char', 'char(5)', true, ['', 'abc', 'abcde', 'ü']],
  ['c_int2', 'smallint', true, ['0', '-32768', '32767']],
  ['c_int4', 'integer', true, ['0', '-5', '2147483647']],
  ['c_int8', 'bigint', true, ['0', '9223372036854775807']],
  ['c_numeric', 'numeric(10,2)', true, ['0', '1.5', '-12345678.99', 'NaN']],
  ['c_free', 'numeric', false, ['0', '1.0', '1.00', 'NaN', ...since(14, 'Infinity'), '1e-10']],
  ['c_float4', 'real', false, ['0', '-0', '1.5', '3.4028235e38', 'NaN', '-Infinity', '0.1']],
  ['c_float8', 'double precision', false, ['0', '-0', '0.1', '1e23', '5e-324', 'NaN', 'Infinity']],
  ['c_bool', 'boolean', true, ['t', 'f']],
  ['c_bytea', 'bytea', true, ['\\x', '\\x00ff5c']],
  ['c_date', 'date', true, ['2024-02-29', 'infinity', '0044-03-15 BC', '5874897-12-31']],
  ['c_time', 'time', true, ['00:00', '24:00:00', '12:34:56.789']],
  ['c_timetz', 'timetz(3)', true, ['12:34:56.7891+02', '24:00:00-15:59']],
  [
    'c_timestamp',
    'timestamp',
    true,
    ['2024-02-29 12:34:56.789', 'infinity', '294276-12-31 23:59:59.999999', '0044-03-15 12:00 BC'],
  ],
  [
    'c_timestamptz',
    'timestamptz',
    true,
    ['2024-02-29 12:34:56.789+00', '-infinity', '1850-01-01 00:00+00', '2024-07-01 00:00+00'],
  ],
  [
    'c_interval',
    'interval',
    false,
    ['1 year 2 mons -3 days 04:05:06.7', '00:00:00', '24:00:00', '1 day', '-1.3 years'],
  ],
  ['c_uuid', 'uuid', true, ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11']],
  ['c_inet', 'inet', true, ['10.1.2.3', '10.1.2.3/8', '::1', '2001:db8::/32']],
  ['c_cidr', 'cidr', true, ['10.0.0.0/8', '::/0', '192.168.1.5/32']],
  ['c_macaddr', 'macaddr', true, ['08:00:2b:01:02:03']],
  ['c_macaddr8', 'macaddr8', true, ['08:00:2b:01:02:03:04:05']],
  ['c_bit', 'bit(4)', true, ['0000', '1010']],
  ['c_varbit', 'bit varying(8)', true, ['', '1', '10101010']],
  ['c_json', 'json', false, ['{"a" : 1, "a":2}', 'null', ' [1 , 2]']],
  ['c_jsonb', 'jsonb', false, ['{"b": 1, "a": [1.0, 2]}', 'null', '"x"']],
  ['c_enum', 'public.mood', true, ['sad', 'so so', "it's"]],
  ['c_domain', 'public.posint', true, ['1', '42']],
  ['c_email', 'public.email', true, ['a@b.c']],
  ['c_ints', 'int4[]', false, ['{}', '{1,NULL,-3}', '{{1,2},{3,4}}', '[0:1]={5,6}']],
  ['c_texts', 'text[]', false, ['{a,"b c","NULL",NULL,""}', '{"\\"","\\\\"}']],
  ['c_stamps', 'timestamptz[]', false, ['{"2024-02-29 12:00:00+00",NULL}']],
  ['c_moods', 'public.mood[]', false, ['{sad,"so so"}', '{NULL}']],
];

const TYPE_DDL = `CREATE TYPE mood AS ENUM ('sad', 'so so', 'it''s');
  CREATE DOMAIN posint AS int CHECK (VALUE > 0);
  CREATE DOMAIN email AS text CONSTRAINT at CHECK (VALUE LIKE '%_@_%');`;
export const tableDdl = (sealed: boolean): string =>
  `${TYPE_DDL} CREATE TABLE t (id int PRIMARY KEY, ${TYPES.map(([name, type]) => `${name} ${sealed ? 'sealgate.sealed' : type}`).join(', ')})`;
const FEW = new Set(['c_bool', 'c_enum']);
export const RULES: readonly TestRule[] = TYPES.map(([column, type, searched]) => ({
  table: 't',
  column,
  type,
  mode: searched ? 'deterministic' : 'randomized',
  ...(FEW.has(column) && { force: true as const }),
}));
