/** The catalog of one database as far as statements on sealed columns need it: one immutable value per catalog epoch. */
import type { SealedColumn } from '../../plan.ts';
import type { CatalogFacts } from '../facade/catalog-facts.ts';
import type { Made } from './made.ts';
import type { RuledColumn } from './rules.ts';
import type { Changing } from './setting-names.ts';

export type CatalogColumn = {
  readonly name: string;
  readonly attnum: number;
  /** As format_type prints it under search_path pg_catalog. */
  readonly typeName: string;
  /** GENERATED ALWAYS AS (expression): never written, and no part of a COPY. */
  readonly generated: boolean;
  /** Undefined: not sealed. */
  readonly sealed: SealedColumn | undefined;
};

/** pg_class.relkind: r table, p partitioned table, v view, m materialized view, f foreign table. */
export type RelationKind = 'r' | 'p' | 'v' | 'm' | 'f';

/** A PRIMARY KEY or UNIQUE constraint: ON CONFLICT and GROUP BY lean on them. */
export type KeyConstraint = { readonly name: string; readonly definition: string };

export type Relation = {
  readonly oid: number;
  readonly schema: string;
  /** Where its shadow lies. */
  readonly shadowSchema: string;
  readonly name: string;
  readonly kind: RelationKind;
  /** In order, without dropped ones. */
  readonly columns: readonly CatalogColumn[];
  readonly keys: readonly KeyConstraint[];
  /** Columns whose values no two of its rows share, children's among them, at no moment; none: no such key. */
  readonly primaryKey: readonly string[];
  /** The SELECT of a view, printed under `viewSearchPath`. */
  readonly definition: string | undefined;
  /** Touched by a rule, directly or through inheritance, partitions, views, rules, triggers. */
  readonly hot: boolean;
  /** Names of columns that rules seal without a guard, of a relation that has no rules itself and may share or show them. */
  readonly unguarded: ReadonlySet<string>;
  /** Why no statement may touch it; undefined: statements are analysed. */
  readonly refusal: string | undefined;
  /** A routine that reading it runs, and that may not be run. */
  readonly readRefusal: string | undefined;
  /** Why no statement may write it. */
  readonly writeRefusal: string | undefined;
};

/** Or an operator, type or routine that runs one. */
export type HotRoutine = {
  readonly kind: 'routine' | 'operator' | 'type';
  readonly schema: string;
  readonly name: string;
  /** It may be called as if it were a column, `t.routine`. */
  readonly takesRow: boolean;
  /** By what it takes, gives back or is made of. */
  readonly runsAnother: boolean;
};

/** A relation that a schema change gives sealed columns, before the catalog has it. */
export type ComingRelation = {
  readonly schema: string;
  readonly name: string;
  /** Of its columns, where they are known. */
  readonly rules: ReadonlyMap<string, RuledColumn> | undefined;
};

export type Catalog = {
  readonly epoch: number;
  readonly relations: ReadonlyMap<string, Relation>;
  /** Of tables with rules, whether or not they are there: by relationKey, the rules by column. */
  readonly rules: ReadonlyMap<string, ReadonlyMap<string, RuledColumn>>;
  /** Of the server's own catalog. */
  readonly facts: CatalogFacts;
  /** In an open transaction's own catalog, where nobody else may see it yet. */
  readonly made: Made;
  /** Of those of an open transaction. */
  readonly makesCastsToText: boolean;
  /** Schemas in which the definitions of views were printed. */
  readonly viewSearchPath: readonly string[];
  /** By name: what statements under way make, which nobody else can see yet. Their names are hot. */
  readonly coming: ReadonlyMap<string, ComingRelation>;
  /** By name, whatever the schema; types that hold rows of hot relations among them. */
  readonly hotRelationNames: ReadonlySet<string>;
  readonly hotRoutines: ReadonlyMap<string, readonly HotRoutine[]>;
  /** Names of all routines, hot or not, that may be called as if they were columns. */
  readonly rowRoutines: ReadonlySet<string>;
  /** Names whose use may change the session's settings, and the catalog. */
  readonly changing: Changing;
};

/** The key of `Catalog.relations`. */
export function relationKey(schema: string, name: string): string {
  return `${schema}\u0000${name}`;
}

/** What a name means: in its schema, else in the first schema of the path that has it. */
export function findRelation(
  catalog: Catalog,
  searchPath: readonly string[],
  schema: string | undefined,
  name: string,
): Relation | undefined {
  if (schema !== undefined && schema !== '') return catalog.relations.get(relationKey(schema, name));
  for (const candidate of searchPath) {
    const relation = catalog.relations.get(relationKey(candidate, name));
    if (relation !== undefined) return relation;
  }
  return undefined;
}

export function withComing(catalog: Catalog, more: readonly ComingRelation[]): Catalog {
  if (more.length === 0) return catalog;
  return {
    ...catalog,
    coming: new Map([...catalog.coming, ...more.map((relation) => [relation.name, relation] as const)]),
    hotRelationNames: new Set([...catalog.hotRelationNames, ...more.map(({ name }) => name)]),
  };
}

/** All of `Catalog.changing`: what sets styles or the encoding is among what sets. */
export function namesChanging({ changing: { settings, schema } }: Catalog): readonly string[] {
  return [settings, schema].flatMap(({ used, types, written }) => [...used, ...types, ...written]);
}
