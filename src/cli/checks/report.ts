/** What `sealgate check` finds, and how it prints. */

export type CheckFinding =
  | { readonly type: 'ok'; readonly about: string; readonly message: string }
  /** Worth knowing; nothing has to be done. */
  | { readonly type: 'note'; readonly about: string; readonly message: string }
  /** `up` would refuse, or something would not be sealed as the config says. */
  | {
      readonly type: 'missing';
      readonly about: string;
      readonly message: string;
      readonly fix?: string;
      readonly ddl?: DatabaseDdl;
    }
  | { readonly type: 'unreachable'; readonly about: string; readonly message: string; readonly fix?: string };

/** Statements to run in one database. */
export type DatabaseDdl = { readonly database: string; readonly statements: readonly string[] };

const MARKS = { ok: 'ok', note: 'note', missing: 'MISSING', unreachable: 'UNREACHABLE' } as const;

export function formatFinding(finding: CheckFinding): string {
  const lines = [`${MARKS[finding.type].padEnd(11)} ${finding.about}: ${finding.message}`];
  if ('fix' in finding && finding.fix !== undefined) lines.push(`            fix: ${finding.fix}`);
  if (finding.type === 'missing' && finding.ddl !== undefined) {
    lines.push(
      ...finding.ddl.statements.map(
        (statement) => `            ${terminated(statement).replaceAll('\n', '\n            ')}`,
      ),
    );
  }
  return `${lines.join('\n')}\n`;
}

const terminated = (statement: string): string =>
  statement.trimEnd().endsWith(';') ? statement.trimEnd() : `${statement.trimEnd()};`;

/** A psql script: all DDL, each database's in one transaction after a `\connect` where there are several databases. */
export function formatDdl(findings: readonly CheckFinding[]): string {
  const perDatabase = new Map<string, string[]>();
  for (const finding of findings) {
    if (finding.type !== 'missing' || finding.ddl === undefined) continue;
    const { database, statements } = finding.ddl;
    const list = perDatabase.get(database) ?? [];
    for (const statement of statements.map(terminated)) if (!list.includes(statement)) list.push(statement);
    perDatabase.set(database, list);
  }
  const several = perDatabase.size > 1;
  const blocks = [...perDatabase].map(([database, statements]) => {
    const head = several ? [String.raw`\connect "${database.replaceAll('"', '""')}"`] : [];
    return [...head, 'BEGIN;', ...statements, 'COMMIT;'].join('\n');
  });
  return blocks.length === 0 ? '' : `${[String.raw`\set ON_ERROR_STOP on`, ...blocks].join('\n')}\n`;
}
