/** The role of each parameter of one statement: plain, or sealed for one column. */
import type { LogicalType, SealedColumn, SealedParameter, ValuePurpose } from '../../plan.ts';
import { AnalysisError } from '../errors.ts';
import { columnName, comparable } from './values.ts';

export type ParameterUse = {
  readonly column: SealedColumn;
  readonly shape: 'scalar' | 'array';
  readonly purpose: ValuePurpose;
  readonly declaredOid: number | undefined;
  readonly cast: LogicalType | undefined;
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
    const merged = before === undefined ? use : mergedUse(before, use);
    if (merged === undefined) throw conflict(number, use.column, use.location);
    this.#sealed.set(number, merged);
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
      [...this.#sealed].map(([number, { column, shape, purpose, declaredOid, cast }]) => [
        number,
        {
          column,
          shape,
          purpose,
          ...(declaredOid !== undefined && { declaredOid }),
          ...(cast !== undefined && { cast }),
        },
      ]),
    );
  }
}

/** The one sealing that serves both places; undefined: there is none. */
function mergedUse(a: ParameterUse, b: ParameterUse): ParameterUse | undefined {
  const readAlike = a.shape === b.shape && a.declaredOid === b.declaredOid && isSameCast(a.cast, b.cast);
  const sealing = readAlike ? mergedSealing(a, b) : undefined;
  return sealing && { ...a, ...sealing };
}

export function isSameCast(a: LogicalType | undefined, b: LogicalType | undefined): boolean {
  return a?.oid === b?.oid && a?.typmod === b?.typmod;
}

export type Sealing = { readonly column: SealedColumn; readonly purpose: ValuePurpose };

/** As above. What is stored anywhere is stored by the modifier of that column. */
export function mergedSealing(a: Sealing, b: Sealing): Sealing | undefined {
  if (!sameBytesFor(a, b)) return undefined;
  const purpose = mergedPurpose(a, b);
  if (purpose === undefined) return undefined;
  return { column: !stores(a) && stores(b) ? b.column : a.column, purpose };
}

const stores = ({ purpose }: Sealing): boolean => purpose === 'store' || purpose === 'both';

/** Columns of one domain have the same bytes for the same value; what may be stored in each is for each to say. */
function sameBytesFor(a: Sealing, b: Sealing): boolean {
  if (a.column.type.oid !== b.column.type.oid) return false;
  const onlyCompared = a.purpose === 'compare' && b.purpose === 'compare';
  return a.column.id === b.column.id || (onlyCompared && comparable(a.column, b.column));
}

/** Without a type modifier, every purpose takes the same bytes; without it here, all but choosing do. */
function mergedPurpose(a: Sealing, b: Sealing): ValuePurpose | undefined {
  const uses = [a, b];
  const purposes = new Set(uses.map(({ purpose }) => purpose));
  if (purposes.size === 1) return a.purpose;
  const stores = purposes.has('store') || purposes.has('both');
  const stored = uses.every(({ column }) => (column.storedType ?? column.type).typmod === -1);
  if (stored) return stores ? 'store' : a.purpose;
  if (!purposes.has('choose')) return 'both';
  return undefined;
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
