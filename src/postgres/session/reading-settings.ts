/**
 * Constants of a statement's text are sealed when it is prepared, as they read under the settings of then. The server reads those of most statements then,
 * too; of PREPARE, EXECUTE and COPY when they are run, and of any that it analyses again.
 */
import type { SealedLiteral, SealedPlan } from '../plan.ts';
import { readsBySettings } from '../types/reads-by-settings.ts';
import type { SessionSettings } from './settings.ts';

const READING_SETTINGS = ['dateStyle', 'timeZone', 'intervalStyle', 'arrayNulls'] as const;

/** Whether values that were sealed under the one settings are what they would be under the other. */
export function readsAlike(before: SessionSettings | undefined, now: SessionSettings): boolean {
  return before === undefined || before === now || READING_SETTINGS.every((name) => before[name] === now[name]);
}

/** Whether names are looked up alike. */
export function searchesAlike({ searchPath: before }: SessionSettings, { searchPath: now }: SessionSettings): boolean {
  return before.length === now.length && before.every((schema, index) => schema === now[index]);
}

/** Whether the server reads the statement's text not before it runs it. */
export function isReadLater({ named, copy }: SealedPlan): boolean {
  return named?.type === 'execute' || named?.type === 'prepare' || copy !== undefined;
}

/** Whether a constant of the text that is sealed may read otherwise under other settings. */
export function readsSettings({ pieces }: Pick<SealedPlan, 'pieces'>): boolean {
  return pieces.some((piece) => typeof piece !== 'string' && mayReadOtherwise(piece));
}

/** pg_type.oid of date, time, timestamp, timestamptz, interval and timetz. */
const OIDS: ReadonlySet<number> = new Set([1082, 1083, 1114, 1184, 1186, 1266]);

function mayReadOtherwise({ column, value, cast, declaredOid = 0, shape, isDefault }: SealedLiteral): boolean {
  if (value === null || isDefault === true) return false;
  if (shape === 'array' || OIDS.has(declaredOid)) return true;
  return readsBySettings(column) || (cast !== undefined && readsBySettings({ type: cast }));
}
