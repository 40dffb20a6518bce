/**
 * Catalog and plans on their way between threads: functions cannot cross. The only ones are the CHECKs of sealed columns, which the analysis
 * does not call; plans that come back get those of the column they name.
 */
import type { SealedColumn, StatementPlan } from '../../plan.ts';
import type { Catalog } from '../catalog/catalog.ts';

/** A copy without functions. */
export function crossable(catalog: Catalog): Catalog {
  // The same shape, but for the functions left out.
  return copied(catalog, (value) => (typeof value === 'function' ? LEFT_OUT : undefined)) as Catalog;
}

/** Plans as the thread made them with this catalog, with what could not cross. */
export function withChecks(plans: readonly StatementPlan[], catalog: Catalog): readonly StatementPlan[] {
  const columns = new Map<string, SealedColumn>();
  for (const relation of catalog.relations.values())
    for (const { sealed } of relation.columns) if (sealed !== undefined) columns.set(sealed.id, sealed);
  const restored = copied(plans, (value) => {
    if (!isColumn(value) || value.checks === undefined) return undefined;
    return { ...value, checks: columns.get(value.id)?.checks ?? missing(value) };
  });
  return restored as readonly StatementPlan[]; // of the same shape
}

function isColumn(value: unknown): value is SealedColumn {
  return typeof value === 'object' && value !== null && 'relationOid' in value && 'keyId' in value && 'mode' in value;
}

function missing({ table, column }: SealedColumn): never {
  throw new TypeError(`no sealed column ${table}.${column} in the catalog that its plan was made with`);
}

const LEFT_OUT = Symbol('left out');

/** A deep copy of plain data; what `replace` gives stands for a value, and the same value is copied once. */
function copied(value: unknown, replace: (value: unknown) => unknown, known = new Map<object, unknown>()): unknown {
  const replaced = replace(value);
  if (replaced === undefined && (typeof value !== 'object' || value === null)) return value;
  if (typeof value !== 'object' || value === null) return replaced;
  const before = known.get(value);
  if (before !== undefined) return before;
  const copy = replaced ?? copyOf(value, (part) => copied(part, replace, known));
  known.set(value, copy);
  return copy;
}

function copyOf(value: object, copy: (part: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map(copy);
  if (value instanceof Map) return new Map([...value].map(([key, part]) => [key, copy(part)]));
  if (value instanceof Set) return new Set(value);
  const parts = Object.entries(value).map(([name, part]) => [name, copy(part)] as const);
  return Object.fromEntries(parts.filter(([, part]) => part !== LEFT_OUT));
}
