/** What a rule declares of its column beyond the type: CHECKs as conditions the proxy evaluates, and a default that passes them. */
import { evaluate } from '../checks/condition.ts';
import { CheckNotEvaluated, parseCheck } from '../checks/parse-check.ts';
import type { ColumnCheck, LogicalType } from '../plan.ts';
import type { SealRule } from '../service/rules.ts';
import { STANDARD_SETTINGS } from '../types/codec.ts';
import { ValueError } from '../types/errors.ts';
import { readValue } from '../types/values.ts';
import { ColumnError } from './errors.ts';

/** In the order in which the server runs them: by name. Errors: ERR_POSTGRES_COLUMN_CHECK. Precondition: the grammar is loaded. */
export function declaredChecks(rule: SealRule, type: LogicalType): readonly ColumnCheck[] {
  const { schema, table, checks = [] } = rule;
  return [...checks]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, expression }) => ({
      constraint: { schema, table, name },
      passes: passesOf(name, expression, rule.column, type),
    }));
}

export function passesOf(name: string, expression: string, column: string, type: LogicalType): ColumnCheck['passes'] {
  try {
    const condition = parseCheck(expression, { name: column, type });
    return (canonical) => evaluate(condition, canonical);
  } catch (error) {
    if (!(error instanceof CheckNotEvaluated)) throw error;
    throw new ColumnError(
      'ERR_POSTGRES_COLUMN_CHECK',
      `CHECK constraint ${name} cannot be enforced by the proxy: ${error.message}`,
    );
  }
}

/** Errors: ERR_POSTGRES_COLUMN_CHECK for a default that is no value of the type, depends on a session, or fails a check. */
export function requireDefault(value: string, type: LogicalType, checks: readonly ColumnCheck[]): void {
  try {
    const context = { type, purpose: 'store', settings: STANDARD_SETTINGS, zones: { zone: () => undefined } } as const;
    const canonical = readValue(Buffer.from(value), 'text', context);
    const failed = checks.find(({ passes }) => !passes(canonical));
    if (failed !== undefined)
      throw new ColumnError(
        'ERR_POSTGRES_COLUMN_CHECK',
        `its default fails CHECK constraint ${failed.constraint.name}`,
      );
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    throw new ColumnError('ERR_POSTGRES_COLUMN_CHECK', `its default is no constant of its type: ${error.message}`);
  }
}
