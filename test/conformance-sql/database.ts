/** The tables that statements run on: once with sealed columns, once with plain ones of the same types. */
import type { TestRule } from '../support/postgres/sealed-database.ts';

/** Column, type, and domain; `randomized` and `deterministic` ones have none. */
const COLUMNS = {
  customers: [
    ['email', 'varchar(40)', 'mail'],
    ['ssn', 'text', 'person'],
    ['score', 'int4', 'numbers'],
    ['points', 'int8', 'numbers'],
    ['amount', 'numeric(10,2)', 'deterministic'],
    ['born', 'date', 'deterministic'],
    ['token', 'uuid', 'deterministic'],
    ['note', 'text', 'randomized'],
    ['memo', 'text', 'randomized'],
    ['active', 'bool', 'randomized'],
  ],
  people: [
    ['email', 'varchar(40)', 'mail'],
    ['ssn', 'text', 'person'],
    ['score', 'int4', 'numbers'],
    ['nick', 'text', 'randomized'],
  ],
  tree: [['label', 'text', 'mail']],
  events: [
    ['ssn', 'text', 'person'],
    ['note', 'text', 'randomized'],
  ],
  animals: [['nick', 'text', 'randomized']],
} as const;

export const TABLES = ['customers', 'people', 'tree', 'orders', 'events', 'animals', 'cats'] as const;

export const RULES: readonly TestRule[] = Object.entries(COLUMNS).flatMap(([table, columns]) =>
  columns.map(([column, type, how]): TestRule => {
    if (how === 'randomized') return { table, column, type };
    return { table, column, type, mode: 'deterministic', domain: how === 'deterministic' ? undefined : how };
  }),
);

export function ddl(sealed: boolean): string {
  const columns = (table: keyof typeof COLUMNS): string =>
    COLUMNS[table].map(([name, type]) => `${name} ${sealed ? 'sealgate.sealed' : type}`).join(', ');
  return `
CREATE TABLE customers (id int PRIMARY KEY, name text, ${columns('customers')}, UNIQUE (ssn));
CREATE TABLE people (id int PRIMARY KEY, name text, ${columns('people')});
CREATE TABLE tree (id int PRIMARY KEY, parent int REFERENCES tree, ${columns('tree')});
CREATE TABLE orders (id int PRIMARY KEY, customer_id int REFERENCES customers ON DELETE CASCADE, total numeric(10,2), remark text);
CREATE TABLE events (id int, day int, what text, ${columns('events')}, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE events_early PARTITION OF events FOR VALUES FROM (0) TO (10);
CREATE TABLE events_late (gone int, ${columns('events')}, day int NOT NULL, id int NOT NULL, what text);
ALTER TABLE events_late DROP COLUMN gone;
ALTER TABLE events ATTACH PARTITION events_late FOR VALUES FROM (10) TO (20);
CREATE TABLE events_listed PARTITION OF events FOR VALUES FROM (20) TO (30) PARTITION BY LIST (id);
CREATE TABLE events_listed_few PARTITION OF events_listed FOR VALUES IN (1, 2, 3);
CREATE TABLE events_listed_rest PARTITION OF events_listed DEFAULT;
CREATE TABLE events_hashed PARTITION OF events DEFAULT PARTITION BY HASH (id);
CREATE TABLE events_hashed_0 PARTITION OF events_hashed FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE events_hashed_1 PARTITION OF events_hashed FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE visits (id int PRIMARY KEY, event int, day int, FOREIGN KEY (event, day) REFERENCES events ON DELETE CASCADE);
CREATE TABLE animals (id int PRIMARY KEY, ${columns('animals')});
CREATE TABLE cats (claws int) INHERITS (animals);
CREATE VIEW customer_list AS SELECT id, name, email, ssn, note FROM customers;
CREATE VIEW customer_totals AS SELECT c.id, c.ssn AS secret, c.name, count(o.id) AS orders, sum(o.total) AS total
  FROM customers c LEFT JOIN orders o ON o.customer_id = c.id GROUP BY c.id, c.ssn, c.name;
CREATE VIEW customer_people AS SELECT c.id, c.ssn, p.nick FROM customers c JOIN people p ON p.ssn = c.ssn
  WHERE c.email IN (SELECT email FROM people) OR c.score IS DISTINCT FROM p.score;
CREATE VIEW everybody AS SELECT ssn, score FROM customers UNION SELECT ssn, score FROM people;
CREATE VIEW customer_upper AS SELECT id, upper(name) AS name, ssn FROM customers WHERE id > 1;
CREATE VIEW list_of_list AS SELECT id, email AS mail, note FROM customer_list WHERE id < 100 WITH CHECK OPTION;
CREATE SCHEMA other;
CREATE TABLE other.customers (id int, ssn text, note text);
CREATE TABLE excluded (id int PRIMARY KEY, what text);
CREATE FUNCTION doubled(x int) RETURNS int LANGUAGE sql AS 'SELECT x * 2';
CREATE FUNCTION count_customers() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM customers';
`;
}

export const FILL: readonly string[] = [
  'TRUNCATE customers, people, tree, orders, other.customers, excluded, events, animals, cats CASCADE',
  `INSERT INTO customers (id, name, email, ssn, score, points, amount, born, token, note, memo, active) VALUES
     (1, 'Ann', 'ann@canary.example', 'canary-111', 5, 100, 1.50, '2001-02-03', '00000000-0000-4000-8000-000000000001', 'canary-n1', 'canary-m1', true),
     (2, 'Bob', 'bob@canary.example', 'canary-222', -5, 5, 5, '1999-12-31', '00000000-0000-4000-8000-000000000002', 'canary-n2', '', false),
     (3, 'Cid', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
     (4, 'Dee', 'ann@canary.example', '', 5, 5, 0, '2001-02-03', NULL, 'canary-n4', 'canary-m4', NULL)`,
  `INSERT INTO people (id, name, email, ssn, score, nick) VALUES
     (1, 'Ann', 'ann@canary.example', 'canary-111', 5, 'canary-a'), (2, 'Zoe', 'zoe@canary.example', 'canary-999', 7, 'canary-z'),
     (5, NULL, NULL, NULL, -5, NULL)`,
  "INSERT INTO tree (id, parent, label) VALUES (1, NULL, 'ann@canary.example'), (2, 1, 'bob@canary.example'), (3, 1, NULL), (4, 2, 'canary-leaf')",
  "INSERT INTO orders VALUES (1, 1, 10.50, 'first'), (2, 1, 3, NULL), (3, 2, 7, 'last')",
  "INSERT INTO other.customers VALUES (1, 'plain', 'open')",
  "INSERT INTO excluded VALUES (1, 'a')",
  `INSERT INTO events (id, day, what, ssn, note) VALUES (1, 1, 'early', 'canary-111', 'canary-e1'), (2, 12, 'late', 'canary-222', 'canary-e2'),
     (1, 21, 'listed', 'canary-111', 'canary-e3'), (9, 22, 'listed', NULL, 'canary-e4'), (5, 99, 'hashed', 'canary-999', NULL),
     (6, 99, 'hashed', '', '')`,
  'INSERT INTO visits VALUES (1, 1, 1), (2, 2, 12)',
  "INSERT INTO animals VALUES (1, 'canary-rex'), (2, NULL)",
  "INSERT INTO cats VALUES (3, 'canary-tom', 18)",
];

/** What of a sealed value must be found nowhere on the server. */
export const CANARY = 'canary';
