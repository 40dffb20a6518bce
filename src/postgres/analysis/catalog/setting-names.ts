/**
 * Names whose use may change what the session is set to, as `set_config` does, or the catalog: routines that do it in their bodies, and what runs
 * them. No server reports all settings that matter here (search_path only since PostgreSQL 18, role and bytea_output never), so they are asked
 * for again after each statement with such a name.
 */
import { bodyOf, isAllowed, isDynamic, OPAQUE_LANGUAGES, type RelationLinks, type RoutineBody } from './hot-set.ts';

const SETTINGS =
  'search_path|schema|role|session|time\\s+zone|timezone|datestyle|intervalstyle|extra_float_digits|bytea_output|names|client_encoding|standard_conforming_strings|array_nulls|sealgate\\.\\w+';
/** SET and RESET of what matters, DISCARD, and set_config of it or of what is not a constant. */
const SETS = new RegExp(
  [
    `\\bset\\s+(?:(?:session|local)\\s+)?"?(?:${SETTINGS})\\b`,
    `\\breset\\s+"?(?:all|${SETTINGS})\\b`,
    '\\bdiscard\\s+all\\b',
    `\\bset_config\\b"?\\s*\\(\\s*(?:'\\s*(?:${SETTINGS})\\b|(?!'))`,
  ].join('|'),
  'i',
);
/** Its rule sets. */
const updatesSettings = (body: string): boolean => /\bpg_settings\b/i.test(body) && /\bupdate\b/i.test(body);
/** Tables, indexes and sequences change no meaning of what is sealed; those that have the name of a sealed table are hot by it. */
const CHANGES_SCHEMA = new RegExp(
  String.raw`\b(?:create|alter|drop)\s+(?:(?:or\s+replace|temp|temporary|recursive|constraint|default)\s+)*` +
    String.raw`(?:cast|type|domain|function|procedure|routine|aggregate|operator|view|materialized|rule|trigger|schema|extension|transform|policy)\b`,
  'i',
);
const WRITES = /\b(?:insert|update|delete|merge|copy|truncate)\b/i;

/** Whether a body changes the catalog in such a way that texts and values could mean something else. */
export function changesSchema(body: string): boolean {
  return CHANGES_SCHEMA.test(body);
}

export type ChangingNames = {
  /** Of routines, and of relations that are read or written. */
  readonly used: ReadonlySet<string>;
  /** Of relations besides, where they are written. */
  readonly written: ReadonlySet<string>;
};

/**
 * Whatever their schemas: routines with triggers' and aggregates' functions; views; relations whose triggers, DEFAULTs, CHECKs, rules or policies do.
 * `settings`: what may set; `schema`: what may change the catalog.
 */
export function changingNames(
  relations: readonly RelationLinks[],
  routines: readonly RoutineBody[],
  allowed: ReadonlySet<string>,
): { readonly settings: ChangingNames; readonly schema: ChangingNames } {
  const readable = routines
    .filter(({ language }) => !OPAQUE_LANGUAGES.has(language))
    .map((routine) => ({ ...routine, body: bodyOf(routine.definition), isDynamic: isDynamic(routine) }));
  const sets = readable.filter(({ body, isDynamic }) => isDynamic || SETS.test(body) || updatesSettings(body));
  // What is allowed although it runs what it makes up may set, and leaves the catalog as it is by the word of who allowed it.
  const changes = readable.filter(
    (routine) => changesSchema(routine.body) || (routine.isDynamic && !isAllowed(routine, allowed)),
  );
  const oidsOf = (found: readonly RoutineBody[]): readonly number[] => found.map(({ oid }) => oid);
  return {
    settings: namesReaching([...oidsOf(sets), SETS_ITSELF], relations, readable),
    schema: namesReaching(oidsOf(changes), relations, readable),
  };
}

/** Stands in `calls` for set_config and pg_settings. */
const SETS_ITSELF = 0;

type Readable = RoutineBody & { readonly body: string };

function namesReaching(
  from: readonly number[],
  relations: readonly RelationLinks[],
  routines: readonly Readable[],
): ChangingNames {
  const found = new Set(from);
  const [read, reached] = [new Set<number>(), new Set<number>()];
  const used = new Set(routines.filter(({ oid }) => found.has(oid)).map(({ name }) => name));
  const written = new Set<string>();
  const isFound = (routine: number): boolean => found.has(routine);
  for (let before = -1; before !== found.size + read.size + reached.size;) {
    before = found.size + read.size + reached.size;
    const uses = wholeNames(used);
    const writes = wholeNames(written);
    for (const { oid, name, body } of routines) {
      if (found.has(oid) || !(uses?.test(body) === true || (writes?.test(body) === true && WRITES.test(body))))
        continue;
      found.add(oid);
      used.add(name);
    }
    for (const { oid, name, definition, linked, cascades, calls, callsWritten, triggerRoutines } of relations) {
      const byText = uses !== undefined && (definition === undefined || uses.test(definition));
      if (byText || calls.some(isFound) || linked.some((other) => read.has(other))) {
        read.add(oid);
        used.add(name);
      } else if (
        [...triggerRoutines, ...callsWritten].some(isFound) ||
        [...linked, ...cascades].some((other) => read.has(other) || reached.has(other))
      ) {
        reached.add(oid);
        written.add(name);
      }
    }
  }
  return { used, written };
}

function wholeNames(names: ReadonlySet<string>): RegExp | undefined {
  if (names.size === 0) return undefined;
  const any = [...names].map((name) => name.replaceAll('"', '""').replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')).join('|');
  return new RegExp(`(?<![\\w$])(?:${any})(?![\\w$])`, 'i');
}
