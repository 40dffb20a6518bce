/** From the server's answer to a Catalog: rules resolved, the hot set closed, refusals found. */
import { z } from 'zod';
import type { SealedColumn } from '../../plan.ts';
import { GUARD_DOMAIN_QUALIFIED } from '../../service/names.ts';
import type { RuledColumn } from './rules.ts';
import { relationKey, type Catalog, type CatalogColumn, type HotRoutine, type Relation } from './catalog.ts';
import { shadowSchema } from './shadow-names.ts';
import { CatalogFacts } from '../facade/catalog-facts.ts';
import { closeHotSet, namesPattern, type HotSet, type RelationLinks } from './hot-set.ts';

const Snapshot = z.object({
  searchPath: z.array(z.string()),
  facts: CatalogFacts,
  relations: z.array(
    z.object({
      oid: z.number(),
      schema: z.string(),
      schemaOid: z.number(),
      name: z.string(),
      kind: z.enum(['r', 'p', 'v', 'm', 'f']),
      columns: z.array(z.tuple([z.string(), z.number(), z.string(), z.boolean()])),
      keys: z.array(z.tuple([z.string(), z.string()])),
      definition: z.string().nullable(),
    }),
  ),
  inherits: z.array(z.tuple([z.number(), z.number()])),
  /** Relation with the rule, relation the rule names, whether it is more than a view's own. */
  rules: z.array(z.tuple([z.number(), z.number(), z.boolean()])),
  triggers: z.array(z.tuple([z.number(), z.number()])),
  routines: z.array(
    z.object({ oid: z.number(), schema: z.string(), name: z.string(), language: z.string(), definition: z.string() }),
  ),
});

export type CatalogSnapshot = z.infer<typeof Snapshot>;
type SnapshotRelation = CatalogSnapshot['relations'][number];

export function parseSnapshot(value: unknown): CatalogSnapshot {
  return Snapshot.parse(value);
}

export type CatalogInput = {
  readonly epoch: number;
  readonly snapshot: CatalogSnapshot;
  readonly rules: readonly RuledColumn[];
  readonly sealed: readonly SealedColumn[];
  readonly allowRoutines: ReadonlySet<string>;
  /** Of shadows that are kept apart from the proxies'. */
  readonly shadowsApart?: string | undefined;
};

export function buildCatalog(input: CatalogInput): Catalog {
  const { snapshot, rules } = input;
  const ruledNames = new Set(rules.map(({ schema, table }) => relationKey(schema, table)));
  const ruled = snapshot.relations.filter(({ schema, name }) => ruledNames.has(relationKey(schema, name)));
  const ruledOids = new Set(ruled.map((relation) => relation.oid));
  const tables = rules.map((rule) => rule.table);
  const guarded = snapshot.relations.filter((relation) => guardedColumns(relation).length > 0);
  const seeds = [...ruledOids, ...guarded.map((relation) => relation.oid)];
  const hot = closeHotSet(seeds, tables, linksOf(snapshot), snapshot.routines, input.allowRoutines);
  const relations = new Map<string, Relation>();
  for (const relation of snapshot.relations) {
    relations.set(relationKey(relation.schema, relation.name), buildRelation(input, relation, hot, ruledOids));
  }
  const hotNames = snapshot.relations
    .filter((relation) => hot.relations.has(relation.oid))
    .map((relation) => relation.name);
  return {
    epoch: input.epoch,
    relations,
    rules: rulesByTable(rules),
    facts: snapshot.facts,
    coming: new Map(),
    viewSearchPath: snapshot.searchPath,
    hotRelationNames: new Set([...tables, ...hotNames]),
    hotRoutines: routinesByName(snapshot, hot),
  };
}

function rulesByTable(rules: readonly RuledColumn[]): Catalog['rules'] {
  const tables = Map.groupBy(rules, ({ schema, table }) => relationKey(schema, table));
  return new Map([...tables].map(([key, columns]) => [key, new Map(columns.map((rule) => [rule.column, rule]))]));
}

/** Columns that hold sealed values by their type, whether a rule names them or not: a renamed or copied table has them still. */
function guardedColumns({ kind, columns }: SnapshotRelation): readonly string[] {
  if (kind === 'v' || kind === 'm') return [];
  return columns.flatMap(([name, , typeName]) => (typeName === GUARD_DOMAIN_QUALIFIED ? [name] : []));
}

function unguardedNames(rules: readonly RuledColumn[]): readonly string[] {
  return rules.filter(({ guard, format }) => !guard || format !== undefined).map(({ column }) => column);
}

function linksOf(snapshot: CatalogSnapshot): readonly RelationLinks[] {
  const linked = new Map<number, number[]>();
  const link = (from: number, to: number): void => {
    const links = linked.get(from);
    if (links === undefined) linked.set(from, [to]);
    else links.push(to);
  };
  for (const [child, parent] of snapshot.inherits) {
    link(child, parent);
    link(parent, child);
  }
  for (const [owner, named] of snapshot.rules) if (owner !== named) link(owner, named);
  const triggers = Map.groupBy(snapshot.triggers, ([relation]) => relation);
  return snapshot.relations.map(({ oid, schema, name, definition }) => ({
    oid,
    schema,
    name,
    definition: definition ?? '',
    linked: linked.get(oid) ?? [],
    triggerRoutines: (triggers.get(oid) ?? []).map(([, routine]) => routine),
  }));
}

function buildRelation(
  input: CatalogInput,
  relation: SnapshotRelation,
  hot: HotSet,
  ruledOids: ReadonlySet<number>,
): Relation {
  const sealed = new Map(
    input.sealed.filter((column) => column.relationOid === relation.oid).map((column) => [column.attnum, column]),
  );
  const columns = relation.columns.map(([name, attnum, typeName, generated]): CatalogColumn => ({
    name,
    attnum,
    typeName,
    generated,
    sealed: sealed.get(attnum),
  }));
  const isHot = hot.relations.has(relation.oid);
  const { oid, schema, schemaOid, name, kind } = relation;
  return {
    oid,
    schema,
    shadowSchema: shadowSchema(schemaOid, input.shadowsApart),
    name,
    kind,
    columns,
    keys: relation.keys.map(([keyName, definition]) => ({ name: keyName, definition })),
    definition: relation.definition ?? undefined,
    hot: isHot,
    unguarded: new Set(isHot && !ruledOids.has(oid) ? unguardedNames(input.rules) : []),
    refusal: isHot ? refusalOf(input, relation, columns, ruledOids, hot) : undefined,
    writeRefusal: isHot ? writeRefusalOf(input, relation, columns, hot) : undefined,
  };
}

/** Why a hot relation may not be touched at all. */
function refusalOf(
  { rules, snapshot }: CatalogInput,
  relation: SnapshotRelation,
  columns: readonly CatalogColumn[],
  ruledOids: ReadonlySet<number>,
  hot: HotSet,
): string | undefined {
  const { oid, schema, name, kind } = relation;
  for (const rule of rules) {
    if (rule.schema !== schema || rule.table !== name) continue;
    const column = columns.find((candidate) => candidate.name === rule.column);
    if (column?.sealed === undefined)
      return `the rule for ${schema}.${name}.${rule.column} does not hold in this database`;
  }
  if (ruledOids.has(oid))
    return kind === 'r' || kind === 'p' ? undefined : `${schema}.${name} has a rule and is no table`;
  if (kind === 'm' || kind === 'f') return `${schema}.${name} holds copies of sealed columns without a rule`;
  const inherits = snapshot.inherits.some(
    ([child, parent]) => (child === oid && hot.relations.has(parent)) || (parent === oid && hot.relations.has(child)),
  );
  if (inherits) return `${schema}.${name} shares columns with a table that has rules, and has none itself`;
  const [guarded] = guardedColumns(relation);
  return guarded === undefined
    ? undefined
    : `${schema}.${name}.${guarded} is a sealed column by its type, and no rule names it`;
}

/** Why a hot table may not be written: what fires there would see ciphertext, or do what cannot be known. */
function writeRefusalOf(
  { snapshot, allowRoutines }: CatalogInput,
  relation: SnapshotRelation,
  columns: readonly CatalogColumn[],
  hot: HotSet,
): string | undefined {
  const place = `${relation.schema}.${relation.name}`;
  if (snapshot.rules.some(([owner, , isMore]) => owner === relation.oid && isMore))
    return `a rule (CREATE RULE) on ${place} rewrites what is written`;
  // INSTEAD OF triggers, in whose hands the values would be.
  if (relation.kind === 'v' && snapshot.triggers.some(([oid]) => oid === relation.oid))
    return `a trigger (INSTEAD OF) on view ${place} takes what is written`;
  const names = namesPattern(columns.flatMap((column) => (column.sealed === undefined ? [] : [column.name])));
  for (const [oid, routineOid] of snapshot.triggers) {
    if (oid !== relation.oid) continue;
    const routine = snapshot.routines.find((candidate) => candidate.oid === routineOid);
    if (routine === undefined || allowRoutines.has(`${routine.schema}.${routine.name}`)) continue;
    if (hot.routines.has(routineOid) || names?.test(routine.definition) === true) {
      return `trigger function ${routine.schema}.${routine.name} on ${place} names sealed data or runs dynamic SQL`;
    }
  }
  return undefined;
}

function routinesByName(snapshot: CatalogSnapshot, hot: HotSet): ReadonlyMap<string, readonly HotRoutine[]> {
  return Map.groupBy(
    snapshot.routines
      .filter((routine) => hot.routines.has(routine.oid))
      .map(({ schema, name }): HotRoutine => ({ schema, name })),
    (routine) => routine.name,
  );
}
