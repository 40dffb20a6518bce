/** The analysis alone: a made-up catalog, statements in, drafts out as readable text. */
import type { SealedColumn, SealedPlan, StatementPlan } from '../../../src/postgres/plan.ts';
import { readRoutine } from '../../../src/postgres/analysis/catalog/routine-texts.ts';
import { buildCatalog } from '../../../src/postgres/analysis/catalog/snapshot.ts';
import type { CatalogSnapshot } from '../../../src/postgres/analysis/catalog/snapshot-shape.ts';
import { NO_FACTS } from '../../../src/postgres/analysis/facade/catalog-facts.ts';
import type { Catalog } from '../../../src/postgres/analysis/catalog/catalog.ts';
import { AnalysisError } from '../../../src/postgres/analysis/errors.ts';
import { draftStatement, type DraftPlan } from '../../../src/postgres/analysis/plan-statement.ts';
import { SourceText } from '../../../src/postgres/analysis/text/source-text.ts';
import { loadGrammar, parseStatements } from '../../../src/postgres/analysis/text/syntax.ts';
import { initialSettings, type SessionSettings } from '../../../src/postgres/session/settings.ts';
import { parseLogicalType } from '../../../src/postgres/types/type-text.ts';

await loadGrammar();

type Rule = readonly [table: string, column: string, type: string, domain?: string | true];

/** The ruled columns: a domain, or `true`, makes them deterministic. */
const RULES: readonly Rule[] = [
  ['customers', 'ssn', 'text', 'person'],
  ['customers', 'email', 'varchar(20)', true],
  ['customers', 'score', 'int4', true],
  ['customers', 'born', 'date', true],
  ['customers', 'note', 'text'],
  ['customers', 'data', 'jsonb'],
  ['people', 'ssn', 'text', 'person'],
  ['people', 'nick', 'text'],
  ['events', 'what', 'text'],
];

const TABLES: Readonly<Record<string, readonly string[]>> = {
  'public.customers': ['id', 'name', 'ssn', 'email', 'score', 'born', 'note', 'data'],
  'public.people': ['id', 'ssn', 'nick'],
  'public.orders': ['id', 'customer_id', 'total', 'remark'],
  'public.events': ['id', 'what'],
  'public.events_2026': ['id', 'what'],
  'public.audited': ['id', 'x'],
  'other.customers': ['id', 'name', 'ssn'],
  'public.Weird "name"': ['id'],
};

const VIEWS: Readonly<Record<string, readonly [columns: readonly string[], definition: string]>> = {
  'public.customer_names': [['id', 'name', 'secret'], 'SELECT c.id, c.name, c.ssn AS secret FROM public.customers c'],
  'public.no_notes': [['id'], 'SELECT customers.id FROM public.customers WHERE (customers.note IS NULL)'],
  'public.bad_view': [['id', 'short'], 'SELECT id, lower(note) AS short FROM public.customers'],
  'public.const_view': [['id'], "SELECT id FROM public.customers WHERE ssn = 'x'"],
};

function split(name: string): { schema: string; name: string } {
  const dot = name.indexOf('.');
  return { schema: name.slice(0, dot), name: name.slice(dot + 1) };
}

const NAMES = [...Object.keys(TABLES), ...Object.keys(VIEWS)];
export const oidOf = (name: string): number => 20_000 + NAMES.indexOf(name);

const SNAPSHOT: CatalogSnapshot = {
  searchPath: ['pg_catalog'],
  facts: NO_FACTS,
  made: { schemas: [], types: [], sequences: [], functions: [], operators: [], castsToText: false },
  relations: NAMES.map((full) => {
    const view = VIEWS[full];
    const columns = TABLES[full] ?? view?.[0] ?? [];
    return {
      oid: oidOf(full),
      ...split(full),
      schemaOid: full.startsWith('other') ? 3000 : 2200,
      kind: view === undefined ? ('r' as const) : ('v' as const),
      columns: columns.map((column, index): [string, number, string, boolean] => [column, index + 1, 'text', false]),
      keys: [],
      definition: view?.[1] ?? null,
    };
  }),
  guardOperators: false,
  inherits: [[oidOf('public.events_2026'), oidOf('public.events')]],
  rules: Object.keys(VIEWS).map((view): [number, number, boolean] => [oidOf(view), oidOf('public.customers'), false]),
  rowColumns: [],
  rowTypes: [],
  triggers: [[oidOf('public.audited'), 902]],
  calls: [],
  cascades: [],
  uses: [],
  routines: [
    {
      oid: 900,
      schema: 'public',
      name: 'find_customer',
      language: 'sql',
      definition: 'CREATE FUNCTION ... AS $$ SELECT 1 FROM Customers $$',
      takesRow: true,
    },
    {
      oid: 901,
      schema: 'public',
      name: 'harmless',
      language: 'plpgsql',
      definition: 'CREATE FUNCTION ... AS $$ begin return 1; end $$',
      takesRow: true,
    },
    {
      oid: 902,
      schema: 'public',
      name: 'dynamic',
      language: 'plpgsql',
      definition: "CREATE FUNCTION ... AS $$ begin execute 'x'; end $$",
      takesRow: false,
    },
  ],
};

const SEALED = RULES.map(([table, column, type, domain]): SealedColumn => {
  const relation = `public.${table}`;
  return {
    id: `${table}.${column}`,
    database: 'test',
    schema: 'public',
    table,
    column,
    relationOid: oidOf(relation),
    attnum: (TABLES[relation] ?? []).indexOf(column) + 1,
    type: parseLogicalType(type),
    mode: domain === undefined ? 'randomized' : 'deterministic',
    domain: typeof domain === 'string' ? domain : undefined,
    keyId: 'alias/test',
  };
});

export const CATALOG: Catalog = buildCatalog({
  epoch: 1,
  snapshot: SNAPSHOT,
  routines: SNAPSHOT.routines.map(readRoutine),
  rules: RULES.map(([table, column, type, domain]) => ({
    schema: 'public',
    table,
    column,
    type,
    mode: domain === undefined ? 'randomized' : 'deterministic',
    domain: typeof domain === 'string' ? domain : undefined,
    guard: true,
  })),
  sealed: SEALED,
  allowRoutines: new Set(),
});

export const SETTINGS: SessionSettings = initialSettings('app', 'test');

/** All statements of a text. */
export function draft(
  sql: string,
  declaredOids: readonly number[] = [],
  settings = SETTINGS,
): readonly (DraftPlan | StatementPlan)[] {
  const source = new SourceText(sql);
  const context = { catalog: CATALOG, source, declaredOids, settings };
  return parseStatements(sql, source.byteLength).map((statement) => draftStatement(statement, context));
}

/** The sealed plan of a text of one statement. */
export function sealedPlan(sql: string, declaredOids: readonly number[] = []): SealedPlan {
  const [first] = draft(sql, declaredOids);
  if (first?.type !== 'draft') throw new Error(`not sealed: ${first?.type ?? 'empty'}`);
  return first.plan;
}

/** Upstream text with each sealed literal as `{table.column:value}`; parameters and sealed results after it. */
export function shown(sql: string, declaredOids: readonly number[] = []): string {
  const plan = sealedPlan(sql, declaredOids);
  const text = plan.pieces
    .map((piece) => (typeof piece === 'string' ? piece : `{${piece.column.id}:${piece.value ?? 'NULL'}}`))
    .join('');
  const parameters = [...plan.parameters]
    .map(([number, { column, shape }]) => ` | $${number}=${column.id}${shape === 'array' ? '[]' : ''}`)
    .join('');
  const results =
    plan.results?.some((column) => column !== undefined) === true
      ? ` -> ${plan.results.map((column) => column?.id ?? '-').join(', ')}`
      : '';
  return text + parameters + results;
}

/** The code with which a text is refused, `unchanged` where it passes. */
export function refusal(sql: string, declaredOids: readonly number[] = []): string {
  try {
    const plans = draft(sql, declaredOids);
    return plans.map((plan) => plan.type).join();
  } catch (error) {
    if (error instanceof AnalysisError) return error.code;
    throw error;
  }
}
