/**
 * How much there is to a statement, before the grammar's memory is spent on it: its tokens, roughly. A long value is one of them. Counted in
 * portions, between which others are served.
 */

/** White space, then: a quoted string with its escapes, a quoted name, a dollar-quoted body, a comment, a word or number, or a sign. */
const TOKEN =
  /\s*(?:e'[^'\\]*(?:\\[\s\S][^'\\]*)*'|'[^']*'|"[^"]*"|\$([a-z_]\w*)?\$[\s\S]*?\$\1\$|--[^\n]*|\/\*[\s\S]*?\*\/|[\w.\u0080-\uffff]+|\S|$)/giuy;
const PORTION = 20_000;

/** Whether it has more than so many. */
export async function isHeavy(sql: string, limit: number): Promise<boolean> {
  const token = new RegExp(TOKEN);
  let count = 0;
  for (; token.lastIndex < sql.length && count <= limit; count += 1) {
    if (!token.test(sql)) return true;
    if (count % PORTION === PORTION - 1) await new Promise((resolve) => setImmediate(resolve));
  }
  return count > limit;
}
