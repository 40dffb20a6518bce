/**
 * Columns that a statement refers to, as the server finds them: what it depends on (pg_depend) as the body of something that is made and
 * never kept. That is a SQL function where its body is stored parsed (PostgreSQL 14 and later), and a rule before.
 *
 * Source: PostgreSQL manual, "CREATE FUNCTION" (sql_body), "CREATE RULE".
 */
import type { WithClause } from 'libpg-query';
import type { ServiceSession } from '../service/connection.ts';
import type { StatementDescription } from '../service/describe.ts';
import { ServiceError } from '../service/errors.ts';
import { quoteQualified } from '../service/names.ts';
import { refuseUse } from './errors.ts';
import { parseStatements, scanTokens, type Node } from './text/syntax.ts';

/** As `server_version_num` says it. */
const SQL_BODIES_SINCE = 140_000;

export type DescribedStatement = { readonly sql: string; readonly description: StatementDescription };

export type ServerReferences = {
  /** Relation and attribute of each column. */
  readonly columns: readonly { readonly relation: unknown; readonly attribute: unknown }[];
  /** Functions, and operators with the types of their operands, that are not the server's own. */
  readonly added: readonly Added[];
};

export type Added = {
  /** `cast`: a function that a cast calls. `own-cast`: a cast to text that was added and calls one of the server's own, or none; its operand is what it casts. */
  readonly kind: 'function' | 'cast' | 'own-cast' | 'operator';
  readonly name: string;
  readonly operands: readonly number[];
};

/** Within a transaction that is rolled back; `schema` is where something may be made. */
export async function serverReferences(
  session: ServiceSession,
  { sql, description }: DescribedStatement,
  schema: string,
  serverVersion: number,
): Promise<ServerReferences> {
  const body = withNulls(sql, await typeNames(session, description.parameterOids));
  const name = quoteQualified(schema, 'second_analysis');
  if (serverVersion >= SQL_BODIES_SINCE) {
    await session.query(`CREATE FUNCTION ${name}() RETURNS void LANGUAGE sql BEGIN ATOMIC ${body}; END`);
    return referencesOf(session, 'pg_proc', '$1::regproc', name);
  }
  if (changesWithin(body)) await makeRuleOf(session, name, { sql: body, description });
  else {
    // Within WITH nothing is asked of what it returns, and the names of the rule's rows are none of its own.
    const action = `WITH statement AS (${body}) INSERT INTO ${name} DEFAULT VALUES`;
    await session.query(`CREATE TABLE ${name} ()`);
    await session.query(`CREATE RULE second_analysis AS ON INSERT TO ${name} DO INSTEAD ${action}`);
  }
  return referencesOf(session, 'pg_rewrite', RULE_OF, name);
}

/** Whether it changes tables in its own WITH, which can then stand in no other. */
function changesWithin(sql: string): boolean {
  const [statement] = parseStatements(sql, Buffer.byteLength(sql));
  return namedQueries(withOf(statement?.node)).some((query) => !('SelectStmt' in query));
}

function withOf(node: Node | undefined): WithClause | undefined {
  if (node === undefined) return undefined;
  if ('SelectStmt' in node) return node.SelectStmt.withClause;
  if ('InsertStmt' in node) return node.InsertStmt.withClause;
  if ('UpdateStmt' in node) return node.UpdateStmt.withClause;
  return 'DeleteStmt' in node ? node.DeleteStmt.withClause : undefined;
}

function namedQueries(clause: WithClause | undefined): readonly Node[] {
  return (clause?.ctes ?? []).flatMap((table) =>
    'CommonTableExpr' in table && table.CommonTableExpr.ctequery !== undefined ? [table.CommonTableExpr.ctequery] : [],
  );
}

async function makeRuleOf(
  session: ServiceSession,
  name: string,
  { sql, description }: DescribedStatement,
): Promise<void> {
  // What the statement returns has to be a row of the rule's table.
  const columns = (await resultTypes(session, description)).map((type, index) => `c${index} ${type}`);
  await session.query(`CREATE TABLE ${name} (${columns.join(', ')})`);
  // A rule names its rows: "new" where they are inserted, "old" where they are deleted. The statement may use one of these itself.
  const event = /\bnew\b/iu.test(sql) ? 'DELETE' : 'INSERT';
  await session
    .query(`CREATE RULE second_analysis AS ON ${event} TO ${name} DO INSTEAD ${sql}`)
    .catch((error: unknown) => {
      throw returnsRow(error, description) ? refuseUse(ROW_RETURNED, -1, 'Return its columns by themselves.') : error;
    });
}

const RECORD_OID = 2249;
const ROW_RETURNED =
  'before PostgreSQL 14 RETURNING takes no row of sealed columns in a statement that changes tables in its WITH';

/** The columns of the rule's table have to be of the types that are returned, which is asked of RETURNING alone. */
function returnsRow(error: unknown, { fields }: StatementDescription): boolean {
  if (!(error instanceof ServiceError) || error.sqlstate !== '42P17') return false;
  return fields.some(({ typeOid }) => typeOid === RECORD_OID);
}

const RULE_OF = '(SELECT r.oid FROM pg_rewrite r WHERE r.ev_class = $1::regclass)';

/**
 * Of all casts to text, varchar and char(n), since which one the statement calls is said nowhere: what they call is pinned, or they call nothing and give the
 * bytes as they lie. Those that print the value ('i') are none. 16384: FirstNormalObjectId.
 */
const OWN_CASTS_SQL = `UNION ALL SELECT 'own-cast', p.proname, k.castsource::int8, NULL FROM pg_cast k LEFT JOIN pg_proc p ON p.oid = k.castfunc
  WHERE k.oid >= 16384 AND k.castmethod <> 'i' AND k.castfunc < 16384 AND k.casttarget IN (25, 1043, 1042)`;

/** What the server's own catalog holds from the beginning is no dependency (pinned). */
async function referencesOf(
  session: ServiceSession,
  catalog: 'pg_proc' | 'pg_rewrite',
  object: string,
  name: string,
): Promise<ServerReferences> {
  const rows = await session.query<{ kind: string; name: string | null; a: number | null; b: number | null }>(
    `SELECT CASE d.refclassid WHEN 'pg_class'::regclass THEN 'column' WHEN 'pg_proc'::regclass THEN CASE WHEN EXISTS (SELECT FROM pg_cast c WHERE c.castfunc = p.oid) THEN 'cast' ELSE 'function' END ELSE 'operator' END AS kind,
      coalesce(p.proname, o.oprname) AS name,
      CASE WHEN o.oid IS NULL THEN d.refobjid ELSE o.oprleft END::int8 AS a, CASE WHEN o.oid IS NULL THEN d.refobjsubid ELSE o.oprright::int8 END AS b
    FROM pg_depend d
    LEFT JOIN pg_proc p ON d.refclassid = 'pg_proc'::regclass AND p.oid = d.refobjid
    LEFT JOIN pg_operator o ON d.refclassid = 'pg_operator'::regclass AND o.oid = d.refobjid
    WHERE d.classid = '${catalog}'::regclass AND d.objid = ${object}
      AND (d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0 OR p.oid IS NOT NULL OR o.oid IS NOT NULL)
    ${OWN_CASTS_SQL}`,
    [name],
  );
  const columns = rows.filter(({ kind }) => kind === 'column').map(({ a, b }) => ({ relation: a, attribute: b }));
  const added = rows.flatMap(({ kind, name: called, a, b }): readonly Added[] =>
    kind === 'function' || kind === 'cast' || kind === 'own-cast' || kind === 'operator'
      ? [{ kind, name: String(called), operands: operandsOf(kind, a, b) }]
      : [],
  );
  return { columns, added };
}

function operandsOf(kind: Added['kind'], a: number | null, b: number | null): readonly number[] {
  if (kind === 'operator') return [Number(a), Number(b)];
  return kind === 'own-cast' ? [Number(a)] : [];
}

const TYPES_SQL = `SELECT format_type(t.oid, NULL) AS name FROM unnest($1::oid[]) WITH ORDINALITY AS t(oid, place) ORDER BY t.place`;

async function typeNames(session: ServiceSession, oids: readonly number[]): Promise<readonly string[]> {
  if (oids.length === 0) return [];
  return (await session.query(TYPES_SQL, [oids])).map((row) => String(row['name']));
}

/** With their modifiers, which have to be the same (`character` alone is character(1)); of columns, also where it is a domain: a description says its base. */
const RESULT_TYPES_SQL = `
SELECT coalesce(format_type(a.atttypid, a.atttypmod), format_type(t.oid, t.typmod)) AS name
FROM unnest($1::oid[], $2::int4[], $3::oid[], $4::int4[]) WITH ORDINALITY AS t(oid, typmod, relation, attribute, place)
LEFT JOIN pg_attribute a ON a.attrelid = t.relation AND a.attnum = t.attribute ORDER BY t.place`;

async function resultTypes(session: ServiceSession, { fields }: StatementDescription): Promise<readonly string[]> {
  if (fields.length === 0) return [];
  const given = (['typeOid', 'typmod', 'tableOid', 'attnum'] as const).map((what) =>
    fields.map((field) => field[what]),
  );
  // No column can be of a row's type that has no name.
  return (await session.query(RESULT_TYPES_SQL, given)).map((row) => String(row['name']).replace(/^record\b/, 'text'));
}

/** Each parameter as a NULL of its type: a function has at most 100 arguments (FUNC_MAX_ARGS), an INSERT of many rows more values. */
function withNulls(sql: string, types: readonly string[]): string {
  const bytes = Buffer.from(sql);
  const parts: string[] = [];
  let at = 0;
  for (const { tokenName, start, end, text } of scanTokens(sql)) {
    if (tokenName !== 'PARAM') continue;
    parts.push(bytes.toString('utf8', at, start), `(NULL::${types[Number(text.slice(1)) - 1] ?? 'unknown'})`);
    at = end;
  }
  return parts.join('') + bytes.toString('utf8', at);
}
