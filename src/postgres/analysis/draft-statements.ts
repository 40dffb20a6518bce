/** All statements of one message, analysed with one catalog: each knows what those ahead of it change. */
import type { StatementPlan, TrackPlan } from '../plan.ts';
import { withComing, type Catalog, type ComingRelation } from './catalog/catalog.ts';
import { AnalysisError } from './errors.ts';
import { opensOnly, SequenceError } from './one-by-one.ts';
import { placed } from './placed.ts';
import { draftStatement, type DraftPlan, type PlanningContext } from './plan-statement.ts';
import { trimmed } from './text/inner-query.ts';
import { requireServersIdentifiers } from './text/server-identifiers.ts';
import type { RawStatement } from './text/syntax.ts';

/**
 * Up to the first that is refused. Throws AnalysisError where that is the first of all, SequenceError where one may be taken once those ahead of it
 * have run.
 */
export function draftStatements(statements: readonly RawStatement[], context: PlanningContext): Drafted {
  const { catalog, source } = context;
  requireServersIdentifiers(source, catalog.facts.serverEncoding);
  const drafts: (DraftPlan | StatementPlan)[] = [];
  let ahead: Ahead = { catalog, making: [], changesCatalog: false, changesSettings: false, changesMeaning: false };
  for (const statement of statements) {
    const within = {
      ...context,
      catalog: ahead.catalog,
      afterCatalogChange: ahead.changesCatalog,
      afterSettingsChange: ahead.changesSettings,
    };
    try {
      const draft = draftInPlace(statement, within);
      if (hasToWait(ahead, draft)) throw new SequenceError(statements, context.source, startOf(draft), undefined);
      drafts.push(draft);
      ahead = withNext(ahead, draft, catalog);
    } catch (error) {
      if (error instanceof SequenceError || !(error instanceof AnalysisError) || drafts.length === 0) throw error;
      // What it is refused for may be no more when those ahead of it have run.
      if (ahead.changesMeaning) throw new SequenceError(statements, context.source, error.location, error);
      return { epoch: catalog.epoch, statements: drafts, refused: error };
    }
  }
  return { epoch: catalog.epoch, statements: drafts };
}

function draftInPlace(statement: RawStatement, context: PlanningContext): DraftPlan | StatementPlan {
  try {
    return draftStatement(statement, context);
  } catch (error) {
    throw placed(error, trimmed(context.source, statement).start);
  }
}

export type Drafted = {
  readonly epoch: number;
  readonly statements: readonly (DraftPlan | StatementPlan)[];
  /** Of the statement behind them, with which the message ends. */
  readonly refused?: AnalysisError;
};

/** Needs nothing of the catalog but that it names nothing hot. */
export function isPlain(draft: DraftPlan | StatementPlan): boolean {
  return draft.type !== 'draft' && (draft.type !== 'sealed' || draft.asksCatalog === true);
}

/**
 * A hot statement is analysed before those ahead of it have run: none of them may change what it means. Schema changes mean what the
 * rules say, whatever others did before them.
 */
function hasToWait(before: Ahead, next: DraftPlan | StatementPlan): boolean {
  if (isPlain(next)) return false;
  return next.type === 'draft' ? before.changesMeaning : before.changesSettings;
}

/** What the statements so far do to those behind them: of many it is not asked of each for each. */
type Ahead = {
  /** With the relations that come to be by them. */
  readonly catalog: Catalog;
  readonly making: readonly ComingRelation[];
  readonly changesCatalog: boolean;
  readonly changesSettings: boolean;
  readonly changesMeaning: boolean;
};

function withNext(ahead: Ahead, next: DraftPlan | StatementPlan, catalog: Catalog): Ahead {
  const made = madeBy(next);
  if (effectOf(next) === undefined && made.length === 0) return ahead;
  const making = [...ahead.making, ...made];
  return {
    catalog: made.length === 0 ? ahead.catalog : withComing(catalog, making),
    making,
    changesCatalog: ahead.changesCatalog || changesCatalog(next),
    changesSettings: ahead.changesSettings || changesSettings(next),
    changesMeaning: ahead.changesMeaning || changesMeaning(next),
  };
}

const startOf = (draft: DraftPlan | StatementPlan): number => (draft.type === 'draft' ? draft.start : -1);

function changesMeaning(before: DraftPlan | StatementPlan): boolean {
  return effectOf(before) !== undefined && !(before.type === 'track' && opensOnly(before.text));
}

function changesSettings(before: DraftPlan | StatementPlan): boolean {
  const effect = effectOf(before);
  return effect === 'settings' || effect === 'anything';
}

function changesCatalog(before: DraftPlan | StatementPlan): boolean {
  const effect = effectOf(before);
  return effect === 'catalog' || effect === 'anything';
}

function effectOf(statement: DraftPlan | StatementPlan): TrackPlan['effect'] | undefined {
  if (statement.type === 'draft') return statement.plan.effect;
  return 'effect' in statement ? statement.effect : undefined;
}

const madeBy = (before: DraftPlan | StatementPlan) => (before.type === 'sealed' ? (before.makes ?? []) : []);
