/**
 * Which names the text of a routine or view may use. The text is not parsed: each of its words counts, in comments and strings too, but where it cannot be a
 * table, type or routine at all.
 *
 * Invariant: what uses a name is found, but for names that are spelled in escapes or put together, which is looked for apart (`isDynamic`).
 */
import { spelledOtherwise } from '../text/operators.ts';
import { hashesOf, hashOf, isWordCode, startsAmidst, WordFilter } from './word-filter.ts';

/** Of a text, in small letters. */
export type Words = {
  readonly text: string;
  readonly filter: WordFilter;
  /** Of what is in the filter. */
  readonly hashes: () => Int32Array;
  /** Reserved words among them where they are names: in quotes, behind a dot or ahead of a percent sign. Elsewhere such a word is that word. */
  readonly all: () => ReadonlySet<string>;
};

const IS_WORD = /^[\w\u0080-\uffff]+$/;
/** Longer names are cut: those of as many bytes may have been written longer. */
const WHOLE_BYTES = 59;

/** src/include/parser/kwlist.h, RESERVED_KEYWORD, as of all versions. */
const RESERVED: ReadonlySet<string> = new Set(
  `all analyse analyze and any array as asc asymmetric both case cast check collate column constraint create current_catalog current_date current_role
  current_time current_timestamp current_user default deferrable desc distinct do else end except false fetch for foreign from grant group having in initially
  intersect into lateral leading limit localtime localtimestamp not null offset on only or order placing primary references returning select session_user some
  symmetric table then to trailing true union unique user using variadic when where window with`.split(/\s+/),
);

/** Small letters, each by itself: a capital sigma becomes another at the end of a word than within one. */
const folded = (text: string): string => text.toLowerCase().replaceAll('ς', 'σ');

export function wordsOf(written: string): Words {
  const text = folded(written);
  return {
    text,
    filter: new WordFilter(text, readingsOf),
    hashes: once(() => hashesOf(text, readingsOf)),
    all: once(() => allWordsOf(text)),
  };
}

function allWordsOf(text: string): ReadonlySet<string> {
  const all = new Set<string>();
  const isParted = once(() => hasParted(text));
  for (let at = 0; at < text.length; at += 1) {
    if (!isWordCode(text.charCodeAt(at))) continue;
    const start = at;
    while (at < text.length && isWordCode(text.charCodeAt(at))) at += 1;
    const next = nextCode(text, at);
    const qualifies = next === DOT ? qualifiesWhat(text, at) : undefined;
    if (qualifies === 'column') continue;
    const run = text.slice(start, at);
    const isName = (): boolean =>
      !RESERVED.has(run) || qualifies === 'type' || next === PERCENT || isMarkedAhead(text, start) || isParted();
    // An array's type is no reserved word, whatever its elements' is; nor is one behind a number.
    if (startsAmidst(text.charCodeAt(start))) for (const word of readingsOf(run)) all.add(word);
    else if (!all.has(run) && isName()) all.add(run);
  }
  return all;
}

/** A number may end where a name begins; an array's type is called as its elements' is, behind underscores: without one more each. */
function readingsOf(run: string): ReadonlySet<string> {
  const readings = new Set([run, run.replace(/^\d+/, '')]);
  for (let at = 0; at < MAX_UNDERSCORES && run[at] === '_'; at += 1) readings.add(run.slice(at + 1));
  return readings;
}

/** Names are no longer (NAMEDATALEN). */
const MAX_UNDERSCORES = 63;

const [DOT, PERCENT, QUOTE] = [0x2e, 0x25, 0x22];
const BEFORE_DOT = /"?\s*\.(?!\.)\s*(?:"[^"]*"|[\w$\u0080-\uffff]+|\*)?/y;
const BEFORE_PERCENT = /"?\s*%/y;

const isSpaceCode = (code: number): boolean => code === 0x20 || (code >= 0x09 && code <= 0x0d);

/** Of the character behind a word, a quote and spaces; NaN: it is the last. */
function nextCode(text: string, end: number): number {
  let at = text.charCodeAt(end) === QUOTE ? end + 1 : end;
  while (isSpaceCode(text.charCodeAt(at))) at += 1;
  return text.charCodeAt(at);
}

/** Ahead of a dot a column's or schema's name stands for what is named elsewhere as well, as itself; not ahead of `%TYPE`. Undefined: `1..2`. */
function qualifiesWhat(text: string, end: number): 'column' | 'type' | undefined {
  if (!matchesAt(BEFORE_DOT, text, end)) return undefined;
  return matchesAt(BEFORE_PERCENT, text, BEFORE_DOT.lastIndex) ? 'type' : 'column';
}

const isMarkedAhead = (text: string, start: number): boolean => MARKS.has(text.charAt(lastAhead(text, start)));

/** Whether a comment may stand between a name and what marks it, somewhere. Each character is looked at a few times at most. */
function hasParted(text: string): boolean {
  if (/\.\s*(?:--|\/\*)/.test(text)) return true;
  for (let at = text.indexOf('%'); at !== -1; at = text.indexOf('%', at + 1)) {
    const last = lastAhead(text, at);
    if (text[last] === '/' || /[\n\r]/.test(text.slice(last + 1, at))) return true;
  }
  return false;
}

/** The character ahead that is no space; -1: there is none. */
function lastAhead(text: string, at: number): number {
  let last = at - 1;
  while (last >= 0 && SPACE.has(text.charAt(last))) last -= 1;
  return last;
}

const SPACE: ReadonlySet<string> = new Set(' \t\n\r\f\v');
const MARKS: ReadonlySet<string> = new Set('."$');

function matchesAt(pattern: RegExp, text: string, at: number): boolean {
  pattern.lastIndex = at;
  return pattern.test(text);
}

/** In bodies of routines, spaces included, and more where they are repeated. */
const CHARACTERS_A_WORD = 8;

export class Names {
  /** With their hashes. */
  readonly #words = new Map<string, number>();
  readonly #hashes = new Set<number>();
  /** In which there is more than a word: looked for as they are, and as they are in quotes. */
  readonly #others = new Set<string>();
  /** What operators among them are written as instead. */
  readonly #spelled = new Set<RegExp>();

  constructor(names: Iterable<string>) {
    for (const name of names) this.add(name);
  }

  add(written: string): void {
    const name = folded(written);
    if (name === '') return;
    if (IS_WORD.test(name) && Buffer.byteLength(name) <= WHOLE_BYTES) {
      const hash = hashOf(name);
      this.#words.set(name, hash);
      this.#hashes.add(hash);
    } else {
      for (const spelled of [name, name.replaceAll('"', '""')]) this.#others.add(spelled);
      const pattern = spelledOtherwise(name);
      if (pattern !== undefined) this.#spelled.add(pattern);
    }
  }

  /** Whether any of them may be used. */
  areIn(words: Words): boolean {
    if (this.#words.size > words.text.length / CHARACTERS_A_WORD ? this.#haveOneOf(words) : this.#haveOneIn(words))
      return true;
    for (const other of this.#others) if (words.text.includes(other)) return true;
    for (const spelled of this.#spelled) if (spelled.test(words.text)) return true;
    return false;
  }

  #haveOneIn({ filter, all }: Words): boolean {
    for (const [word, hash] of this.#words) if (filter.mayHave(hash) && all().has(word)) return true;
    return false;
  }

  /** The same, by the text's words: a table may have more partitions than a routine has words. */
  #haveOneOf({ hashes, all }: Words): boolean {
    if (!hashes().some((hash) => this.#hashes.has(hash))) return false;
    for (const word of all()) if (this.#words.has(word)) return true;
    return false;
  }
}

/** Made when it is first asked for. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
