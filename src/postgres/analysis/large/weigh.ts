/**
 * How much there is to a statement, before the grammar's memory is spent on it: its tokens, as src/backend/parser/scan.l ends them, roughly.
 * A long value is one of them. Counted in portions, between which others are served.
 *
 * Invariant: each character is looked at a few times at most, whatever the text: what opens and does not close goes to its end.
 */
const PORTION = 20_000;

/** Whether it has more than so many. */
export async function isHeavy(sql: string, limit: number): Promise<boolean> {
  let [tokens, steps] = [0, 0];
  for (const step of read(sql)) {
    if (step === 'token' && (tokens += 1) > limit) return true;
    steps += 1;
    if (steps % PORTION === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return false;
}

/** `part`: one of many in a long token. */
type Step = 'token' | 'part';
/** Gives where what it reads ends. */
type Reading = Generator<Step, number>;

function* read(sql: string): Generator<Step> {
  for (let at = endOf(SPACE, sql, 0); at < sql.length;) {
    yield 'token';
    at = endOf(SPACE, sql, yield* token(sql, at));
  }
}

const SPACE = /[ \t\n\r\f\v]*/y;
/** A name, with others behind dots: a dollar in it opens no quotes. */
const NAME = /[a-z_\u0080-\uffff][\w.$\u0080-\uffff]*/iy;
const NUMBER = /\d[\w.]*/y;
const DOLLARS = /\$(?:[a-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/iy;

/** Behind what the pattern matches here; `at` where it does not. */
function endOf(pattern: RegExp, sql: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(sql) ? pattern.lastIndex : at;
}

function* token(sql: string, at: number): Reading {
  const two = sql.slice(at, at + 2);
  if (two === '--') return found(/[\n\r]/g, sql, at);
  if (two === '/*') return yield* comment(sql, at);
  if (two.toLowerCase() === "e'") return yield* quoted(sql, at + 2, /['\\]/g);
  if (two.startsWith("'")) return yield* quoted(sql, at + 1, /'/g);
  if (two.startsWith('"')) return yield* quoted(sql, at + 1, /"/g);
  if (two.startsWith('$')) return dollarQuoted(sql, at);
  return Math.max(endOf(NAME, sql, at), endOf(NUMBER, sql, at), at + 1);
}

/** Behind the next match, or the end of all. */
function found(pattern: RegExp, sql: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(sql) ? pattern.lastIndex : sql.length;
}

/** `special` finds the quote, which is doubled where it does not close, and where it is one, the backslash. */
function* quoted(sql: string, from: number, special: RegExp): Reading {
  for (let at = from; at < sql.length;) {
    yield 'part';
    at = found(special, sql, at);
    const isEscape = sql[at - 1] === '\\' || sql[at] === sql[at - 1];
    if (!isEscape) return at;
    at += 1;
  }
  return sql.length;
}

function dollarQuoted(sql: string, at: number): number {
  const from = endOf(DOLLARS, sql, at);
  if (from === at) return at + 1;
  const tag = sql.slice(at, from);
  const end = sql.indexOf(tag, from);
  return end === -1 ? sql.length : end + tag.length;
}

/** Comments nest. */
function* comment(sql: string, from: number): Reading {
  let depth = 1;
  for (let at = from + 2; at < sql.length;) {
    yield 'part';
    at = found(/\/\*|\*\//g, sql, at);
    depth += sql[at - 1] === '*' ? 1 : -1;
    if (depth === 0) return at;
  }
  return sql.length;
}
