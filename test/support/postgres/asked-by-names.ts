/** What a statement is answered, in terms that are the same in two databases. */
import pg from 'pg';

const AS_TEXT = { getTypeParser: () => (value: unknown) => String(value) } as unknown as pg.CustomTypesConfig; // its overloads
const FIRST_OWN_OID = 16384;

export type Mode = 'simple' | 'extended';
export type Asked = { readonly text: string; readonly values?: readonly unknown[] };

/** Types of the database by their names: their OIDs are others on the twin. */
export async function askByNames(on: pg.Client, asked: string | Asked, mode: Mode): Promise<unknown> {
  const statement = typeof asked === 'string' ? { text: asked } : asked;
  const config = { ...statement, rowMode: 'array', types: AS_TEXT, queryMode: mode };
  try {
    const { command, rowCount, rows, fields } = await on.query(config as unknown as pg.QueryArrayConfig);
    const types: unknown[] = [];
    for (const { name, dataTypeID: oid, dataTypeModifier } of fields) {
      const own = oid < FIRST_OWN_OID ? undefined : await on.query('SELECT format_type($1, NULL) AS name', [oid]);
      types.push([name, own === undefined ? oid : own.rows, dataTypeModifier]);
    }
    return { command, rowCount, rows, types };
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) throw error;
    return error.code;
  }
}
