/**
 * Names whose use may change what the session is set to, as `set_config` does, or the catalog: routines that do it in their bodies, and what runs
 * them. No server reports all settings that matter here (search_path only since PostgreSQL 18, role and bytea_output never), so they are asked
 * for again after each statement with such a name.
 */
import { Names, wordsOf, type Words } from './names-in-bodies.ts';
import {
  bodyOf,
  isAllowed,
  isDynamic,
  OPAQUE_LANGUAGES,
  type RelationLinks,
  type RoutineBody,
  type Routines,
} from './hot-set.ts';

/** What values are printed under, or their texts read. */
const STYLES = 'time\\s+zone|timezone|datestyle|intervalstyle|extra_float_digits|bytea_output|array_nulls';
const ENCODING = 'names|client_encoding';
const SETTINGS = `${STYLES}|${ENCODING}|search_path|schema|role|session|standard_conforming_strings|sealgate\\.\\w+`;
const SETS = setting(SETTINGS);
const SETS_STYLE = setting(STYLES);
const SETS_ENCODING = setting(ENCODING);

/** SET and RESET of these, DISCARD, and set_config of them or of what is not a constant. */
function setting(names: string): RegExp {
  const ways = [
    `\\bset\\s+(?:(?:session|local)\\s+)?"?(?:${names})\\b`,
    `\\breset\\s+"?(?:all|${names})\\b`,
    '\\bdiscard\\s+all\\b',
    `\\bset_config\\b"?\\s*\\(\\s*(?:'\\s*(?:${names})\\b|(?!'))`,
  ];
  return new RegExp(ways.join('|'), 'i');
}

/** Which of them set_config sets, by its first argument; undefined: no constant. */
export function settingKind(name: string | undefined): { readonly styles: boolean; readonly encoding: boolean } {
  const isOf = (names: string): boolean => name === undefined || new RegExp(`^(?:${names})$`, 'i').test(name);
  return { styles: isOf(STYLES), encoding: isOf(ENCODING) };
}

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
  const readable = routines
    .filter(({ language }) => !OPAQUE_LANGUAGES.has(language))
    .map((routine) => {
      const body = bodyOf(routine.definition);
      return { ...routine, body, words: once(() => wordsOf(body)), isDynamic: isDynamic(routine) };
    });
  const viewed = new Map(
    relations.map(({ oid, definition }) => [
      oid,
      definition === undefined ? undefined : once(() => wordsOf(definition)),
    ]),
  );
  const sets = readable.filter(({ body, isDynamic }) => isDynamic || SETS.test(body) || updatesSettings(body));
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
    (routine) => changesSchema(routine.body) || (routine.isDynamic && !isAllowed(routine, allowed)),
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

/** Texts are many and long, and mostly nothing is looked for in them. */
function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** Stands in `calls` for set_config and pg_settings. */
const SETS_ITSELF = 0;

type Readable = RoutineBody & { readonly body: string; readonly words: () => Words };

function namesReaching(
  from: readonly number[],
  relations: readonly RelationLinks[],
  routines: readonly Readable[],
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
    for (const { oid, name, body, words } of routines) {
      if (found.has(oid)) continue;
      const isUsing = used.size + types.size > 0 && using.areIn(words());
      const isWriting = written.size > 0 && writes.areIn(words()) && WRITES.test(body);
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
