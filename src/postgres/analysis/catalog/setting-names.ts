/**
 * Names whose use may change what the session is set to, as `set_config` does, or the catalog: routines that do it in their bodies, and what runs
 * them. No server reports all settings that matter here (search_path only since PostgreSQL 18, role and bytea_output never), so they are asked
 * for again after each statement with such a name.
 */
import { Names, once, wordsOf, type Words } from './names-in-bodies.ts';
import type { RelationLinks, Routines } from './hot-set.ts';
import { isAllowed, OPAQUE_LANGUAGES, type ReadRoutine, type RoutineBody } from './routine-texts.ts';
import { SETS_ENCODING, SETS_STYLE, updatesSettings } from './setting-patterns.ts';

const WRITES = /\b(?:insert|update|delete|merge|copy|truncate)\b/i;

export type ChangingNames = {
  /** Of routines, of operators, and of relations that are read or written. */
  readonly used: ReadonlySet<string>;
  /** Of types whose values are made by what does it: domains by their CHECKs, others by casts. */
  readonly types: ReadonlySet<string>;
  /** Of relations besides, where they are written. */
  readonly written: ReadonlySet<string>;
};

/** `settings`: what may set; `schema`: what may change the catalog. */
export type Changing = {
  readonly settings: ChangingNames;
  readonly schema: ChangingNames;
  /** Of those that set, which may set what values are printed under or their texts read, and which client_encoding. */
  readonly styles: ChangingNames;
  readonly encoding: ChangingNames;
};

/** Whatever their schemas: routines with triggers' and aggregates' functions; views; relations whose triggers, DEFAULTs, CHECKs, rules or policies do. */
export function changingNames(
  relations: readonly RelationLinks[],
  { routines, uses }: Routines,
  allowed: ReadonlySet<string>,
): Changing {
  const readable = routines.filter(({ language }) => !OPAQUE_LANGUAGES.has(language));
  const viewed = new Map(
    relations.map(({ oid, definition }) => [
      oid,
      definition === undefined ? undefined : once(() => wordsOf(definition)),
    ]),
  );
  const sets = readable.filter(({ isDynamic, sets }) => isDynamic || sets);
  // Who allows what runs what it makes up says as well that values are printed as before.
  const setsWithin = (pattern: RegExp): readonly RoutineBody[] =>
    sets.filter(
      (routine) =>
        pattern.test(routine.body) ||
        updatesSettings(routine.body) ||
        (routine.isDynamic && !isAllowed(routine, allowed)),
    );
  // What is allowed although it runs what it makes up may set, and leaves the catalog as it is by the word of who allowed it.
  const changes = readable.filter(
    (routine) => routine.changesSchema || (routine.isDynamic && !isAllowed(routine, allowed)),
  );
  const oidsOf = (found: readonly RoutineBody[]): readonly number[] => found.map(({ oid }) => oid);
  const namesSetting = (found: readonly RoutineBody[]): ChangingNames =>
    namesReaching([...oidsOf(found), SETS_ITSELF], relations, readable, viewed, uses);
  const settings = namesSetting(sets);
  // All of them, or some.
  const within = (pattern: RegExp): ChangingNames => {
    const found = setsWithin(pattern);
    return found.length === sets.length ? settings : namesSetting(found);
  };
  return {
    settings,
    schema: namesReaching(oidsOf(changes), relations, readable, viewed, uses),
    styles: within(SETS_STYLE),
    encoding: within(SETS_ENCODING),
  };
}

/** Stands in `calls` for set_config and pg_settings. */
const SETS_ITSELF = 0;

/** What the whole definition has not, its body has not. */
const isInBody = (names: Names, words: Words, bodyWords: () => Words): boolean =>
  names.areIn(words) && names.areIn(bodyWords());

function namesReaching(
  from: readonly number[],
  relations: readonly RelationLinks[],
  routines: readonly ReadRoutine[],
  viewed: ReadonlyMap<number, (() => Words) | undefined>,
  uses: Routines['uses'],
): ChangingNames {
  const usesOf = Map.groupBy(uses, ([, , , routine]) => routine);
  const [found, read, reached] = [new Set<number>(), new Set<number>(), new Set<number>()];
  const [used, types, written] = [new Set<string>(), new Set<string>(), new Set<string>()];
  const find = (oid: number): void => {
    found.add(oid);
    for (const [kind, , name] of usesOf.get(oid) ?? []) (kind === 'type' ? types : used).add(name);
  };
  for (const oid of from) find(oid);
  for (const { oid, name } of routines) if (found.has(oid)) used.add(name);
  const isFound = (routine: number): boolean => found.has(routine);
  for (let before = -1; before !== found.size + read.size + reached.size;) {
    before = found.size + read.size + reached.size;
    const using = new Names([...used, ...types]);
    const writes = new Names(written);
    for (const { oid, name, body, words, bodyWords } of routines) {
      if (found.has(oid)) continue;
      const isUsing = used.size + types.size > 0 && isInBody(using, words, bodyWords);
      const isWriting = written.size > 0 && isInBody(writes, words, bodyWords) && WRITES.test(body);
      if (!isUsing && !isWriting) continue;
      find(oid);
      used.add(name);
    }
    for (const { oid, name, linked, cascades, calls, callsWritten, triggerRoutines } of relations) {
      const words = viewed.get(oid);
      const byText = used.size + types.size > 0 && (words === undefined || using.areIn(words()));
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
  return { used, types, written };
}
