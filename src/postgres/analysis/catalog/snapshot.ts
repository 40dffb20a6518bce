/** From the server's answer to a Catalog: rules resolved, the hot set closed, refusals found. */
import type { SealedColumn } from '../../plan.ts';
import { GUARD_DOMAIN_QUALIFIED } from '../../service/names.ts';
import type { RuledColumn } from './rules.ts';
import { relationKey, type Catalog, type CatalogColumn, type HotRoutine, type Relation } from './catalog.ts';
import { madeOf } from './made.ts';
import { shadowSchema } from './shadow-names.ts';
import type { CatalogSnapshot, SnapshotRelation } from './snapshot-shape.ts';
import { closeHotSet, type HotSet, type RelationLinks } from './hot-set.ts';
import { Names } from './names-in-bodies.ts';
import { changingNames } from './setting-names.ts';
import type { ReadRoutine } from './routine-texts.ts';
import { Inheritance, sharedColumns, type SharedColumns } from './inheritance.ts';

export type CatalogInput = {
  readonly epoch: number;
  readonly snapshot: CatalogSnapshot;
  /** Of the snapshot. */
  readonly routines: readonly ReadRoutine[];
  readonly rules: readonly RuledColumn[];
  readonly sealed: readonly SealedColumn[];
  readonly allowRoutines: ReadonlySet<string>;
  /** Of shadows that are kept apart from the proxies'. */
  readonly shadowsApart?: string | undefined;
};

export function buildCatalog(input: CatalogInput): Catalog {
  const { snapshot, rules, routines } = input;
  const { uses } = snapshot;
  const ruledNames = new Set(rules.map(({ schema, table }) => relationKey(schema, table)));
  const ruled = snapshot.relations.filter(({ schema, name }) => ruledNames.has(relationKey(schema, name)));
  const ruledOids = new Set(ruled.map((relation) => relation.oid));
  const tables = rules.map((rule) => rule.table);
  const guarded = snapshot.relations.filter((relation) => guardedColumns(relation).length > 0);
  const seeds = [...ruledOids, ...guarded.map((relation) => relation.oid)];
  const links = linksOf(snapshot);
  const hot = closeHotSet(seeds, tables, links, { routines, uses }, input.allowRoutines);
  const family: Family = {
    inheritance: new Inheritance(snapshot.inherits),
    sealedOf: Map.groupBy(input.sealed, ({ relationOid }) => relationOid),
    byOid: new Map(snapshot.relations.map((relation) => [relation.oid, relation])),
    callsOf: Map.groupBy(snapshot.calls, ([relation]) => relation),
  };
  const relations = new Map<string, Relation>();
  for (const relation of snapshot.relations) {
    relations.set(relationKey(relation.schema, relation.name), buildRelation(input, relation, hot, ruledOids, family));
  }
  const hotNames = snapshot.relations
    .filter((relation) => hot.relations.has(relation.oid))
    .map((relation) => relation.name);
  const hotTypes = snapshot.rowTypes.flatMap(([type, relation]) => (hot.relations.has(relation) ? [type] : []));
  return {
    epoch: input.epoch,
    relations,
    rules: rulesByTable(rules),
    facts: snapshot.facts,
    makesCastsToText: snapshot.made.castsToText,
    made: madeOf(snapshot.made, (schemaOid) => shadowSchema(schemaOid, `${input.shadowsApart ?? ''}names_`)),
    coming: new Map(),
    viewSearchPath: snapshot.searchPath,
    hotRelationNames: new Set([...tables, ...hotNames, ...hotTypes]),
    hotRoutines: routinesByName(snapshot, hot),
    rowRoutines: new Set(snapshot.routines.filter(({ takesRow }) => takesRow).map(({ name }) => name)),
    changing: changingNames(links, { routines, uses }, input.allowRoutines),
  };
}

type Family = {
  readonly inheritance: Inheritance;
  readonly sealedOf: ReadonlyMap<number, readonly SealedColumn[]>;
  readonly byOid: ReadonlyMap<number, SnapshotRelation>;
  readonly callsOf: ReadonlyMap<number, CatalogSnapshot['calls']>;
};

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
  for (const [holder, , owner] of snapshot.rowColumns) if (owner !== holder) link(holder, owner);
  for (const [owner, named] of snapshot.rules) if (owner !== named) link(owner, named);
  const triggers = Map.groupBy(snapshot.triggers, ([relation]) => relation);
  const calls = Map.groupBy(snapshot.calls, ([relation]) => relation);
  const cascades = Map.groupBy(snapshot.cascades, ([relation]) => relation);
  const types = Map.groupBy(snapshot.rowTypes, ([, relation]) => relation);
  return snapshot.relations.map(({ oid, schema, name, kind, definition }) => ({
    oid,
    schema,
    name,
    definition: definition ?? (kind === 'v' ? undefined : ''),
    linked: linked.get(oid) ?? [],
    types: (types.get(oid) ?? []).map(([type]) => type),
    calls: (calls.get(oid) ?? []).flatMap(([, routine, reads]) => (reads === false ? [] : [routine])),
    callsWritten: (calls.get(oid) ?? []).flatMap(([, routine, reads]) => (reads === false ? [routine] : [])),
    cascades: (cascades.get(oid) ?? []).map(([, other]) => other),
    triggerRoutines: (triggers.get(oid) ?? []).map(([, routine]) => routine),
  }));
}

function buildRelation(
  input: CatalogInput,
  relation: SnapshotRelation,
  hot: HotSet,
  ruledOids: ReadonlySet<number>,
  family: Family,
): Relation {
  const { oid, schema, schemaOid, name, kind } = relation;
  const isHot = hot.relations.has(oid);
  const shared = isHot ? sharedColumns(oid, family.inheritance, family.sealedOf) : NOTHING_SHARED;
  const columns = relation.columns.map(([columnName, attnum, typeName, generated]): CatalogColumn => {
    const [sealed] = shared.get(columnName) ?? [];
    return { name: columnName, attnum, typeName, generated, sealed };
  });
  const isUnruled = isHot && !ruledOids.has(oid);
  return {
    oid,
    schema,
    shadowSchema: shadowSchema(schemaOid, input.shadowsApart),
    name,
    kind,
    columns,
    keys: relation.keys.map(([keyName, definition]) => ({ name: keyName, definition })),
    primaryKey: primaryKeyOf(relation, family),
    definition: relation.definition ?? undefined,
    hot: isHot,
    unguarded: new Set(isUnruled ? unguardedNames(input.rules) : []),
    refusal: isHot
      ? (holdsRows(input, relation, hot) ?? refusalOf(input, relation, columns, ruledOids, family))
      : undefined,
    readRefusal: isHot ? readRuns(input, relation, hot, family) : undefined,
    writeRefusal: isHot ? writeRefusalOf(input, relation, hot, family) : undefined,
  };
}

/** A key that may be deferred does not hold at every moment, and that of a parent not for its children, which are no partitions. */
function primaryKeyOf({ oid, kind, columns, keys }: SnapshotRelation, { inheritance }: Family): readonly string[] {
  if (kind !== 'p' && (kind !== 'r' || inheritance.descendants(oid).size > 0)) return [];
  const definition = keys.find(([, text]) => text.startsWith('PRIMARY KEY '))?.[1];
  const listed = /^PRIMARY KEY \((?<names>[^"()]+)\)$/.exec(definition ?? '')?.groups?.['names']?.split(', ') ?? [];
  return listed.every((name) => columns.some(([column]) => column === name)) ? listed : [];
}

const NOTHING_SHARED: SharedColumns = new Map();

/** Rows of a table with sealed columns in a column of their type: no value within can be sealed or opened. */
function holdsRows(
  { snapshot }: CatalogInput,
  { oid, schema, name }: SnapshotRelation,
  hot: HotSet,
): string | undefined {
  const [, column] = snapshot.rowColumns.find(([holder, , owner]) => holder === oid && hot.relations.has(owner)) ?? [];
  return column === undefined ? undefined : `${schema}.${name}.${column} holds rows of a table with sealed columns`;
}

/** A policy, or a cast of one of its columns, that runs a hot routine. What a view calls is found where its query is analysed. */
function readRuns(
  { snapshot }: CatalogInput,
  { oid, schema, name, kind }: SnapshotRelation,
  hot: HotSet,
  family: Family,
): string | undefined {
  if (kind === 'v') return undefined;
  const routine = hotCall(snapshot, hot, family, [oid], true);
  return routine === undefined ? undefined : `reading ${schema}.${name} runs ${routine}`;
}

/** A hot routine that one of the relations runs when it is read, or written. */
function hotCall(
  { routines }: CatalogSnapshot,
  hot: HotSet,
  { callsOf }: Family,
  relations: Iterable<number>,
  whenRead: boolean,
): string | undefined {
  const isRun = ([, routine, reads]: CatalogSnapshot['calls'][number]): boolean =>
    reads === whenRead && hot.routines.has(routine);
  let called: number | undefined;
  for (const oid of relations) {
    [, called] = callsOf.get(oid)?.find(isRun) ?? [];
    if (called !== undefined) break;
  }
  if (called === undefined) return undefined;
  const routine = routines.find(({ oid }) => oid === called);
  return routine === undefined
    ? undefined
    : `routine ${routine.schema}.${routine.name}, which names a table with sealed columns or runs dynamic SQL`;
}

/** Why a hot relation may not be touched at all. */
function refusalOf(
  { rules, snapshot }: CatalogInput,
  relation: SnapshotRelation,
  columns: readonly CatalogColumn[],
  ruledOids: ReadonlySet<number>,
  family: Family,
): string | undefined {
  const { oid, schema, name, kind } = relation;
  if (snapshot.guardOperators)
    return `somebody has added an operator = or <> over ${GUARD_DOMAIN_QUALIFIED}, which would compare ciphertext in ${schema}.${name}`;
  for (const rule of rules) {
    if (rule.schema !== schema || rule.table !== name) continue;
    const column = columns.find((candidate) => candidate.name === rule.column);
    if (column?.sealed === undefined)
      return `the rule for ${schema}.${name}.${rule.column} does not hold in this database`;
  }
  const torn = tornColumn(relation, family);
  if (torn !== undefined) return torn;
  if (ruledOids.has(oid))
    return kind === 'r' || kind === 'p' ? undefined : `${schema}.${name} has a rule and is no table`;
  if (kind === 'm' || kind === 'f') return `${schema}.${name} holds copies of sealed columns without a rule`;
  const stray = strayColumn(rules, relation, columns, family);
  return stray === undefined ? undefined : `${schema}.${name}${stray}`;
}

/** A column of the relation, or of those it reads from, that the rules of two tables seal: what one wrote, the other could not open. */
function tornColumn({ oid }: SnapshotRelation, { inheritance, sealedOf, byOid }: Family): string | undefined {
  for (const holder of [oid, ...inheritance.descendants(oid)]) {
    for (const [column, [one, other]] of sharedColumns(holder, inheritance, sealedOf)) {
      if (one === undefined || other === undefined) continue;
      const { schema = '', name = '' } = byOid.get(holder) ?? {};
      return `${schema}.${name}.${column} is sealed by the rules of two tables, ${one.schema}.${one.table} and ${other.schema}.${other.table}`;
    }
  }
  return undefined;
}

/** A column without a rule that holds, or may hold, sealed values: by its type, or since a descendant's are sealed. */
function strayColumn(
  rules: CatalogInput['rules'],
  relation: SnapshotRelation,
  columns: readonly CatalogColumn[],
  { inheritance, byOid }: Family,
): string | undefined {
  const inherited = [...inheritance.ancestors(relation.oid)].flatMap((oid) => byOid.get(oid) ?? []);
  const below = [...inheritance.descendants(relation.oid)].flatMap((oid) => byOid.get(oid) ?? []);
  const names = new Set([...inherited, ...below].flatMap((other) => ruledNames(rules, other)));
  const guarded = guardedColumns(relation);
  for (const { name, sealed } of columns) {
    if (sealed !== undefined) continue;
    if (names.has(name)) return ` shares columns with a table that has rules, and has none itself`;
    if (guarded.includes(name)) return `.${name} is a sealed column by its type, and no rule names it`;
  }
  return undefined;
}

function ruledNames(rules: CatalogInput['rules'], relation: SnapshotRelation): readonly string[] {
  return rules
    .filter(({ schema, table }) => schema === relation.schema && table === relation.name)
    .map(({ column }) => column);
}

/** Why a hot table may not be written: what fires there would see ciphertext, or do what cannot be known. */
function writeRefusalOf(
  { snapshot, routines, allowRoutines }: CatalogInput,
  relation: SnapshotRelation,
  hot: HotSet,
  family: Family,
): string | undefined {
  const { inheritance, sealedOf, byOid } = family;
  const place = `${relation.schema}.${relation.name}`;
  if (snapshot.rules.some(([owner, , isMore]) => owner === relation.oid && isMore))
    return `a rule (CREATE RULE) on ${place} rewrites what is written`;
  // INSTEAD OF triggers, in whose hands the values would be.
  if (relation.kind === 'v' && snapshot.triggers.some(([oid]) => oid === relation.oid))
    return `a trigger (INSTEAD OF) on view ${place} takes what is written`;
  // Those of a partition fire for the rows that come into it through its parent, a partitioned table's for what is written to a partition.
  const ancestors = inheritance.ancestors(relation.oid);
  const firing = new Set([relation.oid, ...inheritance.descendants(relation.oid), ...ancestors]);
  const run = hotCall(snapshot, hot, family, firing, false);
  if (run !== undefined) return `writing ${place} runs ${run}`;
  const sealed = [...firing].flatMap((oid) => sealedOf.get(oid) ?? []);
  const names = new Names(sealed.map(({ column }) => column));
  for (const [oid, routineOid] of snapshot.triggers) {
    if (!firing.has(oid)) continue;
    const routine = routines.find((candidate) => candidate.oid === routineOid);
    if (routine === undefined || allowRoutines.has(`${routine.schema}.${routine.name}`)) continue;
    if (hot.routines.has(routineOid) || names.areIn(routine.words)) {
      const { schema, name } = byOid.get(oid) ?? relation;
      return `trigger function ${routine.schema}.${routine.name} on ${schema}.${name} names sealed data or runs dynamic SQL`;
    }
  }
  return undefined;
}

function routinesByName(snapshot: CatalogSnapshot, hot: HotSet): ReadonlyMap<string, readonly HotRoutine[]> {
  const uses = snapshot.uses.filter(([, , , routine]) => hot.routines.has(routine));
  const called = uses.map(([kind, schema, name]): HotRoutine => ({
    kind,
    schema,
    name,
    takesRow: false,
    runsAnother: true,
  }));
  return Map.groupBy(
    snapshot.routines
      .filter((routine) => hot.routines.has(routine.oid))
      .map(({ schema, name, takesRow }): HotRoutine => ({
        kind: 'routine',
        schema,
        name,
        takesRow,
        runsAnother: false,
      }))
      .concat(called),
    (routine) => routine.name,
  );
}
