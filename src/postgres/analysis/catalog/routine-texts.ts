/**
 * What the texts of routines tell by themselves. A database may have many megabytes of them, so they are read in turns.
 */
import type { Steps } from '../../turns.ts';
import { once, wordsOf, type Words } from './names-in-bodies.ts';
import { changesSchema, SETS, updatesSettings } from './setting-patterns.ts';

export type RoutineBody = {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly language: string;
  /** pg_get_functiondef: names, argument and result types, body. */
  readonly definition: string;
};

export type ReadRoutine = RoutineBody & {
  readonly body: string;
  /** Of the definition, and of the body within it. */
  readonly words: Words;
  readonly bodyWords: () => Words;
  /** It runs what it makes up. */
  readonly isDynamic: boolean;
  readonly sets: boolean;
  readonly changesSchema: boolean;
};

export function* readRoutines(routines: readonly RoutineBody[]): Steps<readonly ReadRoutine[]> {
  const read: ReadRoutine[] = [];
  for (const routine of routines) {
    read.push(readRoutine(routine));
    yield routine.definition.length * READINGS;
  }
  return read;
}

/** A turn is meant for bytes that are looked at once. */
const READINGS = 4;

export function readRoutine(routine: RoutineBody): ReadRoutine {
  const body = bodyOf(routine.definition);
  return {
    ...routine,
    body,
    words: wordsOf(routine.definition),
    bodyWords: once(() => wordsOf(body)),
    isDynamic: isDynamic(routine.language, body),
    sets: SETS.test(body) || updatesSettings(body),
    changesSchema: changesSchema(body),
  };
}

/** Built-in functions, and those of extensions that come with the server, that run SQL handed to them as text, or read a relation named by text. */
export const SQL_RUNNING_FUNCTIONS: ReadonlySet<string> = new Set([
  'query_to_xml',
  'query_to_xmlschema',
  'query_to_xml_and_xmlschema',
  'table_to_xml',
  'table_to_xmlschema',
  'table_to_xml_and_xmlschema',
  'schema_to_xml',
  'schema_to_xml_and_xmlschema',
  'database_to_xml',
  'database_to_xml_and_xmlschema',
  'cursor_to_xml',
  'ts_stat',
  'ts_rewrite',
  'dblink',
  'dblink_exec',
  'dblink_open',
  'dblink_send_query',
  'crosstab',
  'crosstab2',
  'crosstab3',
  'crosstab4',
  'connectby',
  'xpath_table',
]);

/** A body that calls one of them. */
export const RUNS_TEXT = new RegExp(`\\b(?:${[...SQL_RUNNING_FUNCTIONS].join('|')})\\b`, 'i');
/** A body that spells names in escapes: `U&"c\0061t"`. */
export const SPELLS_NAMES = /\bu&"/i;

/** Languages whose bodies are compiled: what they run cannot be read (docs/SECURITY.md says so). */
export const OPAQUE_LANGUAGES: ReadonlySet<string> = new Set(['c', 'internal']);

export function isAllowed(routine: RoutineBody, allowed: ReadonlySet<string>): boolean {
  return allowed.has(`${routine.schema}.${routine.name}`);
}

/** Any may hand SQL to a function as text, or spell what it names so that it is not found. PL/pgSQL runs dynamic SQL with EXECUTE; other languages through an interface whose calls take text. */
function isDynamic(language: string, body: string): boolean {
  if (OPAQUE_LANGUAGES.has(language)) return false;
  if (RUNS_TEXT.test(body) || SPELLS_NAMES.test(body)) return true;
  if (language === 'plpgsql') return /\bexecute\b/i.test(body);
  return language !== 'sql';
}

/** CREATE TRIGGER's EXECUTE FUNCTION is not in a routine's definition, but its header may name anything: only the body counts. */
export function bodyOf(definition: string): string {
  const start = definition.search(/\bAS\s+\$/);
  return start === -1 ? definition : definition.slice(start);
}
