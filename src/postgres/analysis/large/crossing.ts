/**
 * Catalog and plans on their way between threads: functions cannot cross. The only ones are the CHECKs of sealed columns, which the analysis
 * does not call; plans that come back get those of the column they name.
 */
import { deepCopy, withoutFunctions } from '../../deep-copy.ts';
import type { SealedColumn, StatementPlan } from '../../plan.ts';
import type { Catalog } from '../catalog/catalog.ts';

/** A copy without functions. */
export function crossable(catalog: Catalog): Catalog {
  return withoutFunctions(catalog) as Catalog; // of the same shape
}

/** Plans as the thread made them with this catalog, with what could not cross. */
export function withChecks(plans: readonly StatementPlan[], catalog: Catalog): readonly StatementPlan[] {
  const columns = new Map<string, SealedColumn>();
  for (const relation of catalog.relations.values())
    for (const { sealed } of relation.columns) if (sealed !== undefined) columns.set(sealed.id, sealed);
  const restored = deepCopy(plans, (value) => {
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
