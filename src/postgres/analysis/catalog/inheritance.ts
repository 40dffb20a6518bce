/**
 * Partitions and children: they hold the values of their ancestors' columns, under the ancestors' identities, since rows of all of them are
 * read and written through each ancestor, and move between partitions as they are.
 */
import type { SealedColumn } from '../../plan.ts';

/** pg_inherits, closed: whoever shares rows with whom. */
export class Inheritance {
  readonly #parents: ReadonlyMap<number, readonly number[]>;
  readonly #children: ReadonlyMap<number, readonly number[]>;

  constructor(inherits: readonly (readonly [child: number, parent: number])[]) {
    this.#parents = grouped(inherits);
    this.#children = grouped(inherits.map(([child, parent]) => [parent, child]));
  }

  /** Of the relation, without itself. */
  ancestors(oid: number): ReadonlySet<number> {
    return reached(oid, this.#parents);
  }

  /** Of the relation, without itself. */
  descendants(oid: number): ReadonlySet<number> {
    return reached(oid, this.#children);
  }
}

function grouped(pairs: readonly (readonly [number, number])[]): ReadonlyMap<number, readonly number[]> {
  const groups = Map.groupBy(pairs, ([from]) => from);
  return new Map([...groups].map(([from, found]) => [from, found.map(([, to]) => to)]));
}

function reached(oid: number, links: ReadonlyMap<number, readonly number[]>): ReadonlySet<number> {
  const found = new Set<number>();
  const open = [...(links.get(oid) ?? [])];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (found.has(next)) continue;
    found.add(next);
    open.push(...(links.get(next) ?? []));
  }
  return found;
}

/** By column name: what the rules of the relation and of its ancestors seal. Two of one name are two identities for one value. */
export type SharedColumns = ReadonlyMap<string, readonly SealedColumn[]>;

export function sharedColumns(
  oid: number,
  inheritance: Inheritance,
  sealedOf: ReadonlyMap<number, readonly SealedColumn[]>,
): SharedColumns {
  const holders = [oid, ...inheritance.ancestors(oid)];
  return Map.groupBy(
    holders.flatMap((holder) => sealedOf.get(holder) ?? []),
    ({ column }) => column,
  );
}
