/** Names in scope: range table entries of one query level, its parents, and CTEs. Follows src/backend/parser/parse_relation.c. */
import { refuseName } from '../errors.ts';
import { PLAIN, type OutputColumn, type SettledValue } from '../expressions/values.ts';

/** One thing in FROM (or a target of INSERT, UPDATE, DELETE). */
export type RangeEntry = {
  readonly alias: string;
  /** Of an unaliased relation: `schema.table.column` reaches it. */
  readonly schema: string | undefined;
  readonly columns: readonly OutputColumn[];
  /** Columns unknown (a function's record, a catalog view): nothing of it is ever sealed. */
  readonly opaque: boolean;
  /** More columns than those that are known, plain ones: a `(composite).*` is among them. */
  readonly wide: boolean;
  /** Names only reachable with the alias in front: excluded, old, new. */
  readonly qualifiedOnly: boolean;
  /** A base relation: system columns exist. */
  readonly isRelation: boolean;
  /** Those of its columns that are a primary key, which no two of its rows share. */
  readonly key?: readonly OutputColumn[];
  /** Its columns have aliases, and the fields of its row their own names. */
  readonly renamesRow?: boolean;
};

/** A column merged by JOIN USING or NATURAL: found by its bare name, once. */
export type MergedColumn = {
  readonly name: string;
  readonly value: SettledValue;
  readonly members: readonly RangeEntry[];
};

/** A column as a name finds it. */
export type ReadColumn = Pick<OutputColumn, 'value' | 'open'>;
export const PLAIN_COLUMN: ReadColumn = { value: PLAIN };

export type CommonTable = { readonly name: string; readonly columns: readonly OutputColumn[] };

export class Scope {
  readonly parent: Scope | undefined;
  readonly entries: RangeEntry[] = [];
  readonly merged: MergedColumn[] = [];
  readonly #ctes = new Map<string, CommonTable>();
  readonly #ctesFrom: Scope | undefined;
  /** WITH RECURSIVE tables not analysed yet: a name that means one of them is not known here. */
  readonly #pending = new Set<string>();

  constructor(parent?: Scope, ctesFrom?: Scope) {
    this.parent = parent;
    this.#ctesFrom = ctesFrom;
  }

  /** Another view of the same query level: its parent and its CTEs, other entries. */
  beside(): Scope {
    return new Scope(this.parent, this);
  }

  addCte(table: CommonTable): void {
    this.#pending.delete(table.name);
    this.#ctes.set(table.name, table);
  }

  expectCte(name: string): void {
    this.#pending.add(name);
  }

  findCte(name: string): CommonTable | undefined {
    if (this.#pending.has(name)) {
      throw refuseName(
        '0A000',
        `"${name}" is used before it is defined`,
        -1,
        'Put the WITH query it refers to before it.',
      );
    }
    return this.#ctes.get(name) ?? (this.#ctesFrom ?? this.parent)?.findCte(name);
  }

  add(entry: RangeEntry): void {
    this.entries.push(entry);
  }

  /** An alias, innermost level first. Ambiguity within a level is the server's 42P09; here it refuses. */
  findEntry(alias: string, schema: string | undefined, location: number): RangeEntry | undefined {
    const matches = this.entries.filter(
      (entry) => entry.alias === alias && (schema === undefined || entry.schema === schema),
    );
    if (matches.length > 1) throw refuseName('42P09', `table reference "${alias}" is ambiguous`, location);
    return matches[0] ?? this.parent?.findEntry(alias, schema, location);
  }

  /** A bare column name. Undefined: no such column here or further out. */
  findColumn(name: string, location: number): ReadColumn | undefined {
    const merged = this.merged.filter((column) => column.name === name);
    const hidden = new Set(merged.flatMap((column) => column.members));
    const found: ReadColumn[] = [...merged];
    for (const entry of this.entries) {
      if (entry.qualifiedOnly || hidden.has(entry)) continue;
      for (const column of entry.columns) if (column.name === name) found.push(column);
    }
    if (found.length > 1) throw refuseName('42702', `column reference "${name}" is ambiguous`, location);
    if (found[0] !== undefined) return found[0];
    if (this.entries.some((entry) => entry.isRelation) && SYSTEM_COLUMNS.has(name)) return PLAIN_COLUMN;
    const outer = this.parent?.findColumn(name, location);
    if (!this.entries.some((entry) => entry.opaque || entry.wide))
      // What may be a column further out may as well be a row here.
      return outer === PLAIN_COLUMN && this.#isSealedRow(name) ? undefined : outer;
    // As a column of that entry it would be plain; as a row it holds sealed values.
    if (outer === undefined && this.#isSealedRow(name)) return undefined;
    // It may be a column of that entry, which would hide the outer one.
    if (outer?.value.type === 'sealed' || outer?.open !== undefined) {
      throw refuseName(
        '0A000',
        `column "${name}" may belong to more than one table here`,
        location,
        'Qualify it with its table.',
      );
    }
    return outer ?? PLAIN_COLUMN;
  }

  #isSealedRow(name: string): boolean {
    const own = this.entries.some(
      ({ alias, columns }) =>
        alias === name && columns.some(({ value, open }) => value.type === 'sealed' || open !== undefined),
    );
    return own || (this.parent !== undefined && this.parent.#isSealedRow(name));
  }
}

export const SYSTEM_COLUMNS: ReadonlySet<string> = new Set(['ctid', 'xmin', 'xmax', 'cmin', 'cmax', 'tableoid']);
