/** Types whose texts mean something else under other settings: DateStyle, TimeZone, IntervalStyle and array_nulls. */
import type { LogicalType } from '../plan.ts';

const TYPES: ReadonlySet<string> = new Set(['date', 'time', 'timetz', 'timestamp', 'timestamptz', 'interval', 'array']);

export function readsBySettings({ type }: { readonly type: Pick<LogicalType, 'name'> }): boolean {
  return TYPES.has(type.name);
}
