/**
 * Which names the text of a routine or view may use. The text is not parsed: each of its words counts, in comments and strings too, but where it cannot be a
 * table, type or routine at all.
 *
 * Invariant: what uses a name is found, but for names that are spelled in escapes or put together, which is looked for apart (`isDynamic`).
 */

/** Words of a text, in small letters. */
export type Words = {
  readonly all: ReadonlySet<string>;
  /** Those in quotes, behind a dot or ahead of a percent sign: elsewhere a reserved word is that word, and no name. */
  readonly marked: ReadonlySet<string>;
  readonly text: string;
};

/** As src/backend/parser/scan.l has identifiers; a dollar may be one of the quotes around a body. */
const WORD = /[\w\u0080-\uffff]+/g;
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
  const [all, marked] = [new Set<string>(), new Set<string>()];
  const isMarked = hasParted(text);
  for (const { 0: run, index } of text.matchAll(WORD)) {
    const place = placeOf(text, index, index + run.length);
    if (place === 'qualifier') continue;
    // A number may end where a name begins; an array's type is called as its elements' is, behind underscores.
    for (const word of readingsOf(run)) {
      all.add(word);
      // An array's type is no reserved word, whatever its elements' is.
      if (place === 'marked' || isMarked || word !== run) marked.add(word);
    }
  }
  return { all, marked, text };
}

/** As it is, without a number ahead, and without one underscore more each. */
function readingsOf(run: string): ReadonlySet<string> {
  const readings = new Set([run, run.replace(/^\d+/, '')]);
  for (let at = 0; at < MAX_UNDERSCORES && run[at] === '_'; at += 1) readings.add(run.slice(at + 1));
  return readings;
}

/** Names are no longer (NAMEDATALEN). */
const MAX_UNDERSCORES = 63;

const BEFORE_DOT = /"?\s*\.(?!\.)\s*(?:"[^"]*"|[\w$\u0080-\uffff]+|\*)?/y;
const PERCENT = /"?\s*%/y;

/** `qualifier`: of a column or a schema; what it is the name of stands elsewhere as well, as itself. Not ahead of `%TYPE`. */
function placeOf(text: string, start: number, end: number): 'qualifier' | 'marked' | 'plain' {
  if (matchesAt(PERCENT, text, end)) return 'marked';
  if (matchesAt(BEFORE_DOT, text, end)) return matchesAt(PERCENT, text, BEFORE_DOT.lastIndex) ? 'marked' : 'qualifier';
  return MARKS.has(text.charAt(lastAhead(text, start))) ? 'marked' : 'plain';
}

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

export class Names {
  readonly #words = new Set<string>();
  /** In which there is more than a word: looked for as they are, and as they are in quotes. */
  readonly #others = new Set<string>();

  constructor(names: Iterable<string>) {
    for (const name of names) this.add(name);
  }

  add(written: string): void {
    const name = folded(written);
    if (name === '') return;
    if (IS_WORD.test(name) && Buffer.byteLength(name) <= WHOLE_BYTES) this.#words.add(name);
    else for (const spelled of [name, name.replaceAll('"', '""')]) this.#others.add(spelled);
  }

  /** Whether any of them may be used. */
  areIn({ all, marked, text }: Words): boolean {
    const [fewer, more] = this.#words.size < all.size ? [this.#words, all] : [all, this.#words];
    for (const word of fewer) if (more.has(word) && (!RESERVED.has(word) || marked.has(word))) return true;
    for (const other of this.#others) if (text.includes(other)) return true;
    return false;
  }
}
