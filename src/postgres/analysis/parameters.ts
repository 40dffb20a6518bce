/** The role of each parameter of one statement: plain, or sealed for one column. */
import type { SealedColumn, SealedParameter, ValuePurpose } from '../plan.ts';
import { AnalysisError } from './errors.ts';
import { columnName } from './values.ts';

export type ParameterUse = {
  readonly column: SealedColumn;
  readonly shape: 'scalar' | 'array';
  readonly purpose: ValuePurpose;
  readonly declaredOid: number | undefined;
  readonly location: number;
};

export class ParameterRoles {
  readonly #plain = new Set<number>();
  readonly #sealed = new Map<number, ParameterUse>();

  usePlain(number: number, location: number): void {
    const sealed = this.#sealed.get(number);
    if (sealed !== undefined) throw conflict(number, sealed.column, location);
    this.#plain.add(number);
  }

  useSealed(number: number, use: ParameterUse): void {
    if (this.#plain.has(number)) throw conflict(number, use.column, use.location);
    const before = this.#sealed.get(number);
    if (before !== undefined && !sameUse(before, use)) throw conflict(number, use.column, use.location);
    this.#sealed.set(number, before ?? use);
  }

  get plain(): ReadonlySet<number> {
    return this.#plain;
  }

  get sealed(): ReadonlyMap<number, ParameterUse> {
    return this.#sealed;
  }

  /** As the plan says it. */
  toPlan(): ReadonlyMap<number, SealedParameter> {
    return new Map(
      [...this.#sealed].map(([number, { column, shape, purpose, declaredOid }]) => [
        number,
        { column, shape, purpose, ...(declaredOid !== undefined && { declaredOid }) },
      ]),
    );
  }
}

/** One sealing must serve both places: without a type modifier, every purpose takes the same bytes; without it here, all but choosing do. */
function sameUse(a: ParameterUse, b: ParameterUse): boolean {
  const uses = [a, b];
  const stored = uses.every(({ column }) => (column.storedType ?? column.type).typmod === -1);
  const here = uses.every(({ column, purpose }) => column.type.typmod === -1 && purpose !== 'choose');
  const samePurpose = a.purpose === b.purpose || stored || here;
  const sameColumn = a.column.id === b.column.id && a.column.type.oid === b.column.type.oid;
  return sameColumn && samePurpose && a.shape === b.shape && a.declaredOid === b.declaredOid;
}

function conflict(number: number, column: SealedColumn, location: number): AnalysisError {
  return new AnalysisError(
    'ERR_POSTGRES_PARAMETER_ROLES',
    '0A000',
    `parameter $${number} is a value of sealed column ${columnName(column)} here and something else elsewhere`,
    location,
    'Pass the value twice, as two parameters.',
  );
}
