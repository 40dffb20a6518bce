/** `database.schema.table.column` as rules write it: SQL names, with double quotes where SQL needs them. */

export type ColumnName = {
  readonly database: string;
  readonly schema: string;
  readonly table: string;
  readonly column: string;
};

/** NAMEDATALEN - 1: longer names PostgreSQL cuts. */
const MAX_NAME_BYTES = 63;
const PART = /^(?:"((?:[^"\0]|"")+)"|([a-z_\u0080-\uffff][a-z0-9_$\u0080-\uffff]*))/u;

/** The name, or what is wrong with the text. */
export function parseColumnName(text: string): ColumnName | { readonly problem: string } {
  const parts: string[] = [];
  let rest = text;
  for (;;) {
    const match = PART.exec(rest);
    if (match === null) return { problem: problemAt(text, rest) };
    const part = match[1]?.replaceAll('""', '"') ?? match[2] ?? '';
    if (Buffer.byteLength(part) > MAX_NAME_BYTES)
      return { problem: `a name is longer than the ${MAX_NAME_BYTES} bytes PostgreSQL keeps` };
    parts.push(part);
    rest = rest.slice(match[0].length);
    if (rest === '') break;
    if (!rest.startsWith('.')) return { problem: problemAt(text, rest) };
    rest = rest.slice(1);
  }
  const [database, schema, table, column, more] = parts;
  if (
    database === undefined ||
    schema === undefined ||
    table === undefined ||
    column === undefined ||
    more !== undefined
  ) {
    return { problem: `expected four names, database.schema.table.column, found ${parts.length}` };
  }
  return { database, schema, table, column };
}

function problemAt(text: string, rest: string): string {
  const place = `at character ${text.length - rest.length + 1}`;
  if (/^[A-Z]/u.test(rest))
    return `a name with capitals needs double quotes (${place}): database.schema."Table".column`;
  return `expected a name (${place}); names with other signs than small letters, digits and _ need double quotes: "my-app".public.t.c`;
}

export function formatColumnName({ database, schema, table, column }: ColumnName): string {
  const quote = (name: string): string =>
    /^[a-z_][a-z0-9_$]*$/u.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
  return [database, schema, table, column].map(quote).join('.');
}
