/**
 * The hot set: the ruled tables, closed over everything the server would reach them through. Statements that name nothing of it
 * pass untouched, so it must not be too small.
 */

import { Names, wordsOf } from './names-in-bodies.ts';
import { isAllowed, OPAQUE_LANGUAGES, type ReadRoutine } from './routine-texts.ts';

/** What the snapshot knows about one relation, before heat is known. */
export type RelationLinks = {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** pg_inherits: partitions and children both ways; pg_depend of rules: a view with what it reads; tables of whose row type a column is. */
  readonly linked: readonly number[];
  /** Names of types that hold rows of it, other than its own. */
  readonly types: readonly string[];
  /** A view's own text: it may call a hot routine. Undefined: it could not be read, and may call any. Empty: no view. */
  readonly definition: string | undefined;
  /** Bodies of the triggers' functions on it, by OID. */
  readonly triggerRoutines: readonly number[];
  /** By OID, what its own texts call when it is read: a view's query, policies, also those that are not in force yet. 0: what sets by itself. */
  readonly calls: readonly number[];
  /** When it is written: rules, DEFAULTs, CHECKs. */
  readonly callsWritten: readonly number[];
  /** What is written along with it by foreign keys. */
  readonly cascades: readonly number[];
};

/** What the snapshot knows about routines. */
export type Routines = {
  readonly routines: readonly ReadRoutine[];
  /** By schema and name, and a routine that their use runs. */
  readonly uses: readonly (readonly [
    kind: 'operator' | 'type' | 'routine',
    schema: string,
    name: string,
    routine: number,
  ])[];
};

export type HotSet = {
  readonly relations: ReadonlySet<number>;
  readonly routines: ReadonlySet<number>;
};

/** Ruled relations by OID, and the names of ruled tables that do not exist. Grows until nothing is added. */
export function closeHotSet(
  ruled: readonly number[],
  missingNames: readonly string[],
  relations: readonly RelationLinks[],
  { routines, uses }: Routines,
  allowed: ReadonlySet<string>,
): HotSet {
  const hot = new Set(ruled);
  // Hot, and not alone for what tables call: that holds nothing sealed, and what names it shows nothing.
  const sealing = new Set(ruled);
  const hotRoutines = new Set(
    routines.filter((routine) => routine.isDynamic && !isAllowed(routine, allowed)).map((routine) => routine.oid),
  );
  const defined = relations.map(({ oid, definition }) => ({
    oid,
    words: definition === undefined ? undefined : wordsOf(definition),
  }));
  const readable = routines.filter(
    (routine) => !OPAQUE_LANGUAGES.has(routine.language) && !isAllowed(routine, allowed),
  );
  for (let before = -1; before !== hot.size + sealing.size + hotRoutines.size;) {
    before = hot.size + sealing.size + hotRoutines.size;
    for (const relation of relations) {
      const { oid, linked, triggerRoutines, calls, callsWritten, definition } = relation;
      const isHot = (routine: number): boolean => hotRoutines.has(routine);
      const shows = definition !== '' && calls.some(isHot);
      if (shows || linked.some((other) => sealing.has(other)) || triggerRoutines.some(isHot)) sealing.add(oid);
      if (sealing.has(oid) || linked.some((other) => hot.has(other)) || [...calls, ...callsWritten].some(isHot))
        hot.add(oid);
    }
    const called = new Names(routines.filter(({ oid }) => hotRoutines.has(oid)).map(({ name }) => name));
    for (const { oid, words } of defined) {
      if (hotRoutines.size === 0 || (words !== undefined && !called.areIn(words))) continue;
      hot.add(oid);
      sealing.add(oid);
    }
    const names = [
      ...missingNames,
      ...relations.filter(({ oid }) => sealing.has(oid)).flatMap(({ name, types }) => [name, ...types]),
    ];
    const routineNames = routines.filter((routine) => hotRoutines.has(routine.oid)).map((routine) => routine.name);
    const usingNames = uses.flatMap(([, , name, routine]) => (hotRoutines.has(routine) ? [name] : []));
    const used = new Names([...names, ...routineNames, ...usingNames]);
    for (const { oid, words } of readable) if (used.areIn(words)) hotRoutines.add(oid);
  }
  return { relations: hot, routines: hotRoutines };
}

/** Matches any of the names anywhere, in any case; quotes inside of a name are doubled where it is quoted. */
export function namesPattern(names: readonly string[]): RegExp | undefined {
  const unique = [...new Set(names.flatMap((name) => [name, name.replaceAll('"', '""')]))].filter(
    (name) => name !== '',
  );
  if (unique.length === 0) return undefined;
  return new RegExp(unique.map((name) => name.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')).join('|'), 'i');
}
