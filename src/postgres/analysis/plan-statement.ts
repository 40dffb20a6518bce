/** One statement of a message: what kind it is, whether it names anything hot, and the plan. */
import type { PassPlan, SealedPlan, StatementPlan, TrackPlan } from '../plan.ts';
import { blockChangesSchema, bodyConcerns } from './bodies.ts';
import type { Catalog } from './catalog/catalog.ts';
import { draftCopy } from './copy.ts';
import { draftQuery, refuseTexts, requireSettings, type DraftPlan, type PlanningContext } from './draft-query.ts';
import { draftDdl, refuseForbiddenDdl } from './ddl/draft-ddl.ts';
import { draftDoBlock } from './ddl/do-block.ts';
import { refuseStatement } from './errors.ts';
import { explainedQuery } from './text/inner-query.ts';
import { draftDeclare, draftPrepare, namedUse } from './named.ts';
import { effectElsewhere, statementKind, type StatementKind } from './statement-kinds.ts';
import { hotTable, refuseByName, survey, type Survey } from './survey.ts';
import { draftCatalogQuery } from './facade/catalog-query.ts';
import { refuseNewerNumbers } from './text/newer-numbers.ts';
import { requireSameWithin } from './settings-within.ts';
import { kindOf, locationOf, type Node, type RawStatement } from './text/syntax.ts';

export type { DraftPlan, PlanningContext } from './draft-query.ts';

const QUERIES: ReadonlySet<string> = new Set(['SelectStmt', 'InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt']);

/** Throws AnalysisError where the statement is refused. */
export function draftStatement(statement: RawStatement, context: PlanningContext): DraftPlan | StatementPlan {
  const { catalog, source } = context;
  const { node } = statement;
  const text = source.slice(statement.start, statement.end);
  const found = survey(node, catalog.changing);
  refuseByName(found, catalog);
  const kind = kindOf(node);
  const hot = hotTable(found, catalog) !== undefined;
  if (hot) refuseNewerNumbers(source, statement.start, statement.end, catalog.facts.serverVersion);
  if ('CopyStmt' in node && hot) {
    return settingNow(draftCopy(statement, node.CopyStmt, context), found);
  }
  if ('DeclareCursorStmt' in node && hot) {
    const { query } = node.DeclareCursorStmt;
    if (query !== undefined && QUERIES.has(kindOf(query)))
      return settingNow(draftDeclare(statement, node.DeclareCursorStmt, query, context), found);
  }
  if ('PrepareStmt' in node && hot) {
    const { query } = node.PrepareStmt;
    if (query !== undefined && QUERIES.has(kindOf(query))) {
      const drafted = settingsKept(draftPrepare(statement, node.PrepareStmt, query, found.changes, context), found);
      requireSameWithin(drafted, found);
      return drafted;
    }
  }
  const query = queryOf(node);
  const asked = hot ? undefined : draftCatalogQuery(statement, found.changes, context);
  if (asked !== undefined) return withEffect(asked, found, kind);
  if (query === undefined) {
    const named = namedUse(node, statement, found.changes, context);
    const plan = otherStatement(kind, text, found, context, statement);
    const copiesIn = 'CopyStmt' in node && node.CopyStmt.is_from === true;
    return { ...plan, ...(named !== undefined && { named }), ...(copiesIn && { copiesIn }) };
  }
  if (!hot) {
    const effect = effectOf(found, found.hasInto);
    return effect === undefined ? { type: 'pass', text } : { type: 'track', text, effect };
  }
  requireSettings(context.settings);
  const drafted =
    kind === 'ExplainStmt'
      ? withoutResults(draftQuery(statement, query, explainedQuery(source, statement), context))
      : settingsKept(draftQuery(statement, query, statement, context), found);
  return settingNow(drafted, found);
}

/** DECLARE among them: FETCH does then what its cursor does. */
function settingNow(drafted: DraftPlan, found: Survey): DraftPlan {
  requireSameWithin(drafted, found);
  return found.changes === undefined ? drafted : { ...drafted, plan: { ...drafted.plan, effect: found.changes } };
}

function settingsKept(drafted: DraftPlan, found: Survey): DraftPlan {
  const mayChangeTexts = found.setsStyles || found.changes === 'anything';
  if (mayChangeTexts) refuseTexts(drafted, 'in a statement that changes settings');
  return drafted;
}

function withEffect(plan: SealedPlan, found: Survey, kind: string): SealedPlan {
  const effect = effectOf(found, found.hasInto || kind === 'CreateTableAsStmt');
  return effect === undefined ? plan : { ...plan, effect };
}

function effectOf({ changes }: Survey, makesTable: boolean): TrackPlan['effect'] | undefined {
  return makesTable ? (changes === undefined ? 'elsewhere' : 'anything') : changes;
}

/** The statement's own result is plain text. */
function withoutResults(drafted: DraftPlan): DraftPlan {
  return { ...drafted, plan: { ...drafted.plan, results: undefined, origins: undefined } };
}

/** The query of a statement that is one, or explains one. */
function queryOf(node: Node): Node | undefined {
  if (QUERIES.has(kindOf(node))) return node;
  const inner = 'ExplainStmt' in node ? node.ExplainStmt.query : undefined;
  return inner !== undefined && QUERIES.has(kindOf(inner)) ? inner : undefined;
}

function otherStatement(
  kind: string,
  text: string,
  found: Survey,
  context: PlanningContext,
  statement: RawStatement,
): PassPlan | TrackPlan | SealedPlan {
  const { node } = statement;
  const { catalog } = context;
  refuseForbiddenDdl(node, context);
  refusePreparing(node, context);
  const { effect, hot } = statementKind(kind);
  const table = hotTable(found, catalog);
  if (table !== undefined || renamesToHot(node, catalog)) {
    const drafted = draftDdl(statement, context);
    if (drafted !== undefined) return drafted;
  }
  const named = table !== undefined || bodyConcerns(node, text, catalog);
  const block = named && 'DoStmt' in node ? draftDoBlock(statement, node.DoStmt, context) : undefined;
  if (block !== undefined) return block;
  if (named && hot.type === 'refuse') {
    const isStored = 'CreateTableAsStmt' in node && node.CreateTableAsStmt.objtype === 'OBJECT_MATVIEW';
    const command = isStored ? 'CREATE MATERIALIZED VIEW' : commandName(kind);
    const hint = isStored ? 'Create a view, or a table, and fill that by INSERT.' : hot.hint;
    const message = `${command} is not supported on tables with sealed columns`;
    throw refuseStatement(message, locationOf(table ?? { location: -1 }), hint);
  }
  const does = dropsTemporary(node, context)
    ? 'catalog'
    : found.changes !== undefined || ('DoStmt' in node && blockChangesSchema(text, catalog))
      ? strongerThan(found.changes ?? 'anything', effect)
      : named
        ? effect
        : effectElsewhere(kind, effect);
  return does === 'none' ? { type: 'pass', text } : { type: 'track', text, effect: does };
}

/**
 * What a prepared transaction has made of hot relations comes about later, at COMMIT PREPARED, in whichever session: statements right behind
 * that would name nothing known.
 */
function refusePreparing(node: Node, { settings, afterCatalogChange = false }: PlanningContext): void {
  if (!('TransactionStmt' in node) || node.TransactionStmt.kind !== 'TRANS_STMT_PREPARE') return;
  if (!settings.uncommittedCatalog && !afterCatalogChange) return;
  throw refuseStatement(
    'PREPARE TRANSACTION after schema changes that may concern sealed columns is not supported',
    -1,
    'COMMIT schema changes in a transaction of their own.',
  );
}

/** DISCARD ALL and DISCARD TEMP drop the temporary tables of the session, where it has had any. */
function dropsTemporary(node: Node, { settings }: PlanningContext): boolean {
  if (!('DiscardStmt' in node)) return false;
  const { target } = node.DiscardStmt;
  if (target !== 'DISCARD_ALL' && target !== 'DISCARD_TEMP') return false;
  return settings.searchPath.some((schema) => schema.startsWith('pg_temp'));
}

/** A statement that may also change what it likes. */
function strongerThan(changes: TrackPlan['effect'], effect: StatementKind['effect']): TrackPlan['effect'] {
  return effect === 'catalog' ? 'anything' : changes;
}

/** `CopyStmt` as COPY: the words before Stmt, apart and in capitals. */
function commandName(kind: string): string {
  return kind
    .replace(/Stmt$/, '')
    .replace(/(?<=[a-z])(?=[A-Z])/g, ' ')
    .toUpperCase();
}

/** ALTER ... RENAME TO a ruled name would put another table in its place. */
function renamesToHot(node: Node, catalog: Catalog): boolean {
  return 'RenameStmt' in node && catalog.hotRelationNames.has(node.RenameStmt.newname ?? '');
}
