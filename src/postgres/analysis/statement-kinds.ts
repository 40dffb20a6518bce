/**
 * Every kind of statement the grammar knows that is not a query: what it changes, and whether it may name a table with sealed
 * columns. Kinds that are not listed are refused where they name one, and are taken to change the catalog where they do not.
 */

export type StatementKind = {
  /** `none`: forwarded untouched. Else what the session must re-read. */
  readonly effect: 'none' | 'settings' | 'catalog' | 'elsewhere' | 'transaction';
  /** Naming a hot table: `forward` is harmless; `refuse` with this hint. */
  readonly hot: { readonly type: 'forward' } | { readonly type: 'refuse'; readonly hint: string };
};

const FORWARD = { type: 'forward' } as const;
const refuse = (hint: string): StatementKind['hot'] => ({ type: 'refuse', hint });
const DDL = refuse('Change tables with sealed columns directly on the server, then run `sealgate check`.');
const QUERY = refuse('Write it as INSERT, UPDATE, DELETE or SELECT.');

export const STATEMENT_KINDS: Readonly<Record<string, StatementKind>> = {
  VariableSetStmt: { effect: 'settings', hot: FORWARD },
  VariableShowStmt: { effect: 'none', hot: FORWARD },
  DiscardStmt: { effect: 'settings', hot: FORWARD },
  TransactionStmt: { effect: 'transaction', hot: FORWARD },
  // Triggers that waited for it may set.
  ConstraintsSetStmt: { effect: 'settings', hot: FORWARD },
  ListenStmt: { effect: 'none', hot: FORWARD },
  UnlistenStmt: { effect: 'none', hot: FORWARD },
  NotifyStmt: { effect: 'none', hot: FORWARD },
  LoadStmt: { effect: 'settings', hot: refuse('Load libraries directly on the server.') },
  DeallocateStmt: { effect: 'none', hot: FORWARD },
  // What the name stands for is looked up by the session.
  ExecuteStmt: { effect: 'none', hot: FORWARD },
  PrepareStmt: { effect: 'none', hot: QUERY },
  FetchStmt: { effect: 'none', hot: FORWARD },
  ClosePortalStmt: { effect: 'none', hot: FORWARD },
  DeclareCursorStmt: { effect: 'none', hot: QUERY },
  CheckPointStmt: { effect: 'none', hot: FORWARD },
  // Locks, truncates, rewrites or describes; carries no value.
  LockStmt: { effect: 'none', hot: FORWARD },
  TruncateStmt: { effect: 'none', hot: FORWARD },
  VacuumStmt: { effect: 'none', hot: FORWARD },
  ReindexStmt: { effect: 'none', hot: FORWARD },
  ClusterStmt: { effect: 'none', hot: FORWARD },
  CommentStmt: { effect: 'none', hot: FORWARD },
  GrantStmt: { effect: 'catalog', hot: FORWARD },
  GrantRoleStmt: { effect: 'catalog', hot: FORWARD },
  // Its wrapped keys stay in escrow; a new table of that name takes over its identity while it is empty.
  DropStmt: { effect: 'catalog', hot: FORWARD },
  // Of hot tables it is analysed.
  CopyStmt: { effect: 'none', hot: QUERY },
  CallStmt: { effect: 'settings', hot: QUERY },
  DoStmt: { effect: 'settings', hot: QUERY },
  CreateTableAsStmt: { effect: 'catalog', hot: refuse('Create the table first and use INSERT.') },
  RefreshMatViewStmt: { effect: 'none', hot: DDL },
  // Of hot tables these are rewritten or refused by what they ask (ddl/).
  CreateStmt: { effect: 'catalog', hot: DDL },
  AlterTableStmt: { effect: 'catalog', hot: DDL },
  IndexStmt: { effect: 'catalog', hot: DDL },
  RenameStmt: { effect: 'catalog', hot: DDL },
  AlterObjectSchemaStmt: { effect: 'catalog', hot: DDL },
  ViewStmt: { effect: 'catalog', hot: DDL },
};

const UNLISTED: StatementKind = { effect: 'catalog', hot: DDL };

/** Kinds that, where they name nothing hot, leave everything hot as it is: new names that are not hot ones, rights, comments. */
const ELSEWHERE: ReadonlySet<string> = new Set([
  'CreateStmt',
  'CreateTableAsStmt',
  'SelectStmt',
  'AlterTableStmt',
  'IndexStmt',
  'CreateSeqStmt',
  'AlterSeqStmt',
  'GrantStmt',
]);

/** The effect of a statement that was found to name nothing hot. */
export function effectElsewhere(kind: string, effect: StatementKind['effect']): StatementKind['effect'] {
  return effect === 'catalog' && ELSEWHERE.has(kind) ? 'elsewhere' : effect;
}

export function statementKind(kind: string): StatementKind {
  return STATEMENT_KINDS[kind] ?? UNLISTED;
}
