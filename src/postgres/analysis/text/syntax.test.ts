import { expect, test } from 'vitest';
import { loadGrammar, parseStatements } from './syntax.ts';

await loadGrammar();

const treeOf = (sql: string): string =>
  JSON.stringify(
    parseStatements(sql, Buffer.byteLength(sql)).map(({ node }) => node),
    (key, value: unknown) => (/location$|list_(start|end)$/.test(key) ? undefined : value),
  );

// The grammar looks at the word behind these, where the parser's scanner has the comment.
test.each([
  ['SELECT 1 WHERE a NOT /* é */ IN (2)', 'SELECT 1 WHERE a NOT IN (2)'],
  ["SELECT 'é' WHERE a NOT -- why\n LIKE 'b'", "SELECT 'é' WHERE a NOT LIKE 'b'"],
  ['SELECT a NOT/* a /* b */ */BETWEEN 1 AND 2', 'SELECT a NOT BETWEEN 1 AND 2'],
  ['SELECT 1 ORDER BY a NULLS /**/ FIRST', 'SELECT 1 ORDER BY a NULLS FIRST'],
  ['SELECT * FROM f() WITH --\n ORDINALITY', 'SELECT * FROM f() WITH ORDINALITY'],
  ['SELECT a::timestamp with /**/ time zone', 'SELECT a::timestamp with time zone'],
  ["SELECT U&'d!0061' /**/ UESCAPE '!'", "SELECT U&'d!0061' UESCAPE '!'"],
  ["SELECT '/* no comment */', a NOT /**/ IN (1)", "SELECT '/* no comment */', a NOT IN (1)"],
])('a comment is white space: %s', (sql, without) => {
  expect(treeOf(sql)).toBe(treeOf(without));
});

test('places are those of the text with its comments', () => {
  const sql = "SELECT 'é' /* é */ WHERE a NOT /* é */ IN (2); SELECT 3";
  const [first, second] = parseStatements(sql, Buffer.byteLength(sql));
  expect(first?.end).toBe(Buffer.byteLength(sql.slice(0, sql.indexOf(';'))));
  expect(second?.end).toBe(Buffer.byteLength(sql));
  expect(JSON.stringify(first?.node)).toContain(`"location":${Buffer.byteLength(sql.slice(0, sql.indexOf('2)')))}`);
});

// To the server 'b' is a syntax error. Read without the comment it would be the end of the string ahead, of which only 'a' were sealed.
test.each([
  "SELECT 'a' /* c */\n 'b'",
  "SELECT 'a' /*\n*/ 'b'",
  "SELECT 1 WHERE a NOT /* c */ IN ('a' /* c */\n 'b')",
  'SELECT 1 WHERE a NOT /* c */ IN',
  'SELECT /* no end',
  "SELECT 1 /* c */ 'no end",
])('what is no statement with its comments is none without: %j', (sql) => {
  expect(() => treeOf(sql)).toThrow(expect.objectContaining({ code: 'ERR_POSTGRES_UNPARSABLE' }));
});
