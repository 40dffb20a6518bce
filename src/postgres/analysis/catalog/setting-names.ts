/**
 * Names whose use may change what the session is set to, as `set_config` does: routines that do it in their bodies, and what runs them. No
 * server reports all settings that matter here (search_path only since PostgreSQL 18, role and bytea_output never), so they are asked for
 * again after each statement with such a name.
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

/** Of routines and relations, whatever their schemas: routines with triggers' and aggregates' functions, relations with triggers, views. */
export function settingNames(
  relations: readonly RelationLinks[],
  routines: readonly RoutineBody[],
  allowed: ReadonlySet<string>,
): ReadonlySet<string> {
  const readable = routines.filter(({ language }) => !OPAQUE_LANGUAGES.has(language));
  // One that was allowed although it runs what it makes up may set anything.
  const found = new Set(
    readable.filter(
      (routine) => SETS.test(bodyOf(routine.definition)) || (isAllowed(routine, allowed) && isDynamic(routine)),
    ),
  );
  const names = new Set([...found].map(({ name }) => name));
  for (let before = 0; before !== found.size;) {
    before = found.size;
    const calls = wholeNames(names);
    for (const routine of readable) if (calls?.test(bodyOf(routine.definition)) === true) found.add(routine);
    for (const { name } of found) names.add(name);
  }
  const oids = new Set([...found].map(({ oid }) => oid));
  const calls = wholeNames(names);
  for (const { name, definition, triggerRoutines } of relations)
    if (
      triggerRoutines.some((oid) => oids.has(oid)) ||
      (calls !== undefined && (definition === undefined || calls.test(definition)))
    )
      names.add(name);
  return names;
}

function wholeNames(names: ReadonlySet<string>): RegExp | undefined {
  if (names.size === 0) return undefined;
  const any = [...names].map((name) => name.replaceAll('"', '""').replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')).join('|');
  return new RegExp(`(?<![\\w$])(?:${any})(?![\\w$])`, 'i');
}
