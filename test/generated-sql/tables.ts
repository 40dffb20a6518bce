/** The tables of generated statements: every logical type, sealed in every mode, beside the same in plain. */
import { TYPES, tableDdl, RULES as TYPE_RULES } from '../e2e/postgres/type-values.ts';
import type { TestRule } from '../support/postgres/sealed-database.ts';

export type Column = {
  readonly name: string;
  readonly type: string;
  readonly values: readonly string[];
  /** Equality works on it. */
  readonly searched: boolean;
  /** Columns of one family may be compared with each other. */
  readonly family: string;
  /** Its constants stand without quotes. */
  readonly bare: boolean;
};

type How = 'plain' | 'randomized' | 'deterministic' | 'preserving' | { readonly domain: string };
type Declared = readonly [name: string, type: string, how: How, family: keyof typeof VALUES];

/** Long enough to be looked for where they are secret. */
const VALUES = {
  number: ['5', '-5', '7', '0', '2', '2147483647'],
  name: ['Ann', 'Bob', '', "o'hara"],
  mail: ['ann@generated.example', 'bob@generated.example', '', "o'hara@generated.example"],
  person: ['person-111-generated', 'person-222-generated', '', 'ä\u{1f600} person-generated'],
  note: ['generated note, one', 'generated\ttab', 'generated\nline', '', String.raw`generated \back "quoted"`],
  amount: ['1.50', '5', '0', '-3.33', '1.5'],
  day: ['2001-02-03', '1999-12-31', '2024-02-29'],
  moment: ['2024-02-29 12:34:56.789+00', '1999-12-31 23:59:59+00', 'infinity'],
  token: ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'b1eebc99-9c0b-4ef8-bb6d-6bb9bd380a22'],
  yes: ['true', 'false'],
  tags: ['{}', '{generated tag,NULL,"a b"}'],
  json: ['{"generated": [1.0, "x"]}', 'null', '"generated string"'],
  card: ['4111111111111111', '5500000000000004', '340000000000009001'],
  partition: ['1', '12', '25'],
  nick: ['ANN', 'ann', 'Bob', ''],
  pairs: ['a=>1,b=>NULL', ''],
} as const;
/** Of plain columns as well. */
export const ALSO_PLAIN: readonly string[] = [...VALUES.number, ...VALUES.name, ...VALUES.nick];
const RANDOM: How = 'randomized';
const MAIL = { domain: 'mail' };
const PERSON = { domain: 'person' };
const NUMBERS = { domain: 'numbers' };

const DECLARED: Readonly<Record<string, readonly Declared[]>> = {
  customers: [
    ['id', 'int', 'plain', 'number'],
    ['name', 'text', 'plain', 'name'],
    ['email', 'varchar(40)', MAIL, 'mail'],
    ['ssn', 'text', PERSON, 'person'],
    ['note', 'text', RANDOM, 'note'],
    ['score', 'int4', NUMBERS, 'number'],
    ['points', 'int8', NUMBERS, 'number'],
    ['amount', 'numeric(10,2)', 'deterministic', 'amount'],
    ['born', 'date', 'deterministic', 'day'],
    ['seen', 'timestamptz', 'deterministic', 'moment'],
    ['token', 'uuid', 'deterministic', 'token'],
    ['active', 'bool', RANDOM, 'yes'],
    ['tags', 'text[]', RANDOM, 'tags'],
    ['doc', 'jsonb', RANDOM, 'json'],
    ['card', 'varchar(19)', 'preserving', 'card'],
  ],
  people: [
    ['id', 'int', 'plain', 'number'],
    ['name', 'text', 'plain', 'name'],
    ['email', 'varchar(40)', MAIL, 'mail'],
    ['score', 'int4', NUMBERS, 'number'],
    ['born', 'date', RANDOM, 'day'],
    ['note', 'text', RANDOM, 'note'],
  ],
  events: [
    ['id', 'int', 'plain', 'number'],
    ['day', 'int', 'plain', 'partition'],
    ['ssn', 'text', PERSON, 'person'],
    ['note', 'text', RANDOM, 'note'],
  ],
  // Types of extensions, beside sealed columns.
  members: [
    ['id', 'int', 'plain', 'number'],
    ['nick', 'citext', 'plain', 'nick'],
    ['pairs', 'hstore', 'plain', 'pairs'],
    ['email', 'varchar(40)', MAIL, 'mail'],
    ['note', 'text', RANDOM, 'note'],
    ['at', 'timestamptz', RANDOM, 'moment'],
  ],
};

const BARE = new Set(['int', 'int4', 'int8', 'numeric(10,2)', 'bool']);
const columnOf = ([name, type, how, family]: Declared): Column => ({
  name,
  type,
  values: VALUES[family],
  searched: how !== RANDOM,
  family,
  bare: BARE.has(type),
});
const columnsOf = (table: string): readonly Column[] => (DECLARED[table] ?? []).map(columnOf);
const VIEWED = new Set(['id', 'name', 'email', 'score', 'note']);

/** Tables, and a view. */
export const TABLES: Readonly<Record<string, readonly Column[]>> = {
  customers: columnsOf('customers'),
  people: columnsOf('people'),
  events: columnsOf('events'),
  members: columnsOf('members'),
  v: columnsOf('customers').filter(({ name }) => VIEWED.has(name)),
  t: [
    { name: 'id', type: 'int', values: VALUES.number, searched: true, family: 'number', bare: true },
    ...TYPES.map(([name, type, searched, values]) => ({ name, type, values, searched, family: name, bare: false })),
  ],
};
/** What has rows of its own. */
export const STORED = ['customers', 'people', 'events', 'members', 't'] as const;

export const RULES: readonly TestRule[] = [
  ...TYPE_RULES,
  ...Object.entries(DECLARED).flatMap(([table, columns]) =>
    columns.flatMap(([column, type, how]): TestRule[] => {
      if (how === 'plain') return [];
      if (how === 'randomized') return [{ table, column, type }];
      const rule = { table, column, type, mode: 'deterministic' } as const;
      if (how === 'deterministic') return [rule];
      const format = { alphabet: 'digits', keepFirst: 2, keepLast: 4, generation: 1 } as const;
      return [how === 'preserving' ? { ...rule, guard: false, format } : { ...rule, domain: how.domain }];
    }),
  ),
];

export function ddl(sealed: boolean): string {
  const list = (table: string): string =>
    (DECLARED[table] ?? [])
      .map(([name, type, how]) => {
        const stored = sealed && how !== 'plain' && how !== 'preserving' ? 'sealgate.sealed' : type;
        return `${name} ${stored}`;
      })
      .join(', ');
  return `${tableDdl(sealed)};
CREATE EXTENSION citext;
CREATE EXTENSION hstore;
CREATE TABLE customers (${list('customers')}, PRIMARY KEY (id), UNIQUE (ssn), UNIQUE (card));
CREATE INDEX ON customers (score);
CREATE TABLE people (${list('people')}, PRIMARY KEY (id));
CREATE INDEX ON people (email);
CREATE TABLE members (${list('members')}, PRIMARY KEY (id));
CREATE TABLE events (${list('events')}, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE events_early PARTITION OF events FOR VALUES FROM (0) TO (10);
CREATE TABLE events_late PARTITION OF events DEFAULT PARTITION BY HASH (id);
CREATE TABLE events_late_0 PARTITION OF events_late FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE events_late_1 PARTITION OF events_late FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE VIEW v AS SELECT id, name, email, score, note FROM customers WHERE id > 1;`;
}

export const FILL: readonly string[] = [
  // A TRUNCATE would have every plan made anew.
  'DELETE FROM customers; DELETE FROM people; DELETE FROM events; DELETE FROM members; DELETE FROM t',
  `INSERT INTO customers (id, name, email, ssn, note, score, points, amount, born, seen, token, active, tags, doc, card) VALUES
     (1, 'Ann', 'ann@generated.example', 'person-111-generated', 'generated note, one', 5, 100, 1.50, '2001-02-03', '2024-02-29 12:34:56.789+00',
      'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', true, '{generated tag}', '{"generated": [1.0, "x"]}', '4111111111111111'),
     (2, 'Bob', 'bob@generated.example', 'person-222-generated', 'generated note, two', -5, 5, 5, '1999-12-31', NULL, NULL, false, NULL, NULL, NULL),
     (3, 'Cid', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
     (4, 'Dee', 'ann@generated.example', '', '', 5, 5, 0, '2001-02-03', NULL, NULL, NULL, '{}', 'null', '5500000000000004')`,
  `INSERT INTO people (id, name, email, score, born, note) VALUES
     (1, 'Ann', 'ann@generated.example', 5, '2001-02-03', 'generated person'), (2, 'Zoe', 'zoe@generated.example', 7, NULL, NULL),
     (5, NULL, NULL, -5, '1999-12-31', 'generated person')`,
  `INSERT INTO events (id, day, ssn, note) VALUES
     (1, 1, 'person-111-generated', 'generated event'), (2, 12, 'person-222-generated', NULL), (7, 25, NULL, 'generated event')`,
  `INSERT INTO members (id, nick, pairs, email, note, at) VALUES
     (1, 'Ann', 'a=>1,b=>NULL', 'ann@generated.example', 'generated member', '2024-02-29 12:34:56.789+00'),
     (2, 'bob', '', 'bob@generated.example', NULL, 'infinity'), (3, NULL, NULL, NULL, 'generated member', NULL)`,
  `INSERT INTO t (id, ${TYPES.map(([name]) => name).join(', ')}) VALUES
     ${[1, 2].map((id) => `(${[String(id), ...TYPES.map(([, , , values]) => `'${(values[id] ?? values[0] ?? '').replaceAll("'", "''")}'`)].join(', ')})`).join(', ')}`,
  'INSERT INTO t (id) VALUES (3)',
];
