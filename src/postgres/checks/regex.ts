/** Reads PostgreSQL's regular expressions, as far as they are regular: no back references, no look-around, no embedded options. */
import type { PatternTree } from './automaton.ts';

export type ParsedRegex = {
  readonly tree: PatternTree;
  readonly localeMatters: boolean;
  /** Brackets with ranges or classes: what they hold without regard to case is not worked out. */
  readonly hasRanges: boolean;
};

type Matches = (codePoint: number) => boolean;

/** A form that is not read; caught in `parseRegex`. */
class Unread extends Error {}

/** Undefined: not read. `letter`: the tree of one plain character. */
export function parseRegex(text: string, letter: (character: string) => PatternTree): ParsedRegex | undefined {
  // Directors and embedded options choose another flavour.
  if (text.startsWith('***') || /^\(\?(?!:)/.test(text)) return undefined;
  try {
    return new RegexReader(text, letter).whole();
  } catch (error) {
    if (error instanceof Unread) return undefined;
    throw error;
  }
}

const code = (character: string): number => character.codePointAt(0) ?? 0;
const isAscii =
  (pattern: RegExp): Matches =>
  (codePoint) =>
    codePoint < 128 && pattern.test(String.fromCharCode(codePoint));

/** Of ASCII; beyond it the locale decides. */
const CLASSES: Readonly<Record<string, Matches>> = {
  alpha: isAscii(/[A-Za-z]/),
  digit: isAscii(/[0-9]/),
  alnum: isAscii(/[A-Za-z0-9]/),
  upper: isAscii(/[A-Z]/),
  lower: isAscii(/[a-z]/),
  space: isAscii(/[\t-\r ]/),
  punct: isAscii(/[!-/:-@[-`{-~]/),
  xdigit: isAscii(/[0-9A-Fa-f]/),
  word: isAscii(/\w/),
};
const SHORTHANDS: Readonly<Record<string, string>> = { d: 'digit', s: 'space', w: 'word' };
const CONTROLS: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f', v: '\v' };
const MAX_REPEATS = 255;
const MAX_DEPTH = 50;

class RegexReader {
  readonly #characters: readonly string[];
  readonly #letter: (character: string) => PatternTree;
  #at = 0;
  #localeMatters = false;
  #hasRanges = false;

  constructor(text: string, letter: (character: string) => PatternTree) {
    this.#characters = Array.from(text);
    this.#letter = letter;
  }

  whole(): ParsedRegex {
    const tree = this.#alternatives(0);
    if (this.#at !== this.#characters.length) throw new Unread();
    return { tree, localeMatters: this.#localeMatters, hasRanges: this.#hasRanges };
  }

  get #next(): string | undefined {
    return this.#characters[this.#at];
  }

  #take(character: string): boolean {
    if (this.#next !== character) return false;
    this.#at++;
    return true;
  }

  #alternatives(depth: number): PatternTree {
    if (depth > MAX_DEPTH) throw new Unread();
    const parts = [this.#branch(depth)];
    while (this.#take('|')) parts.push(this.#branch(depth));
    return parts.length === 1 ? (parts[0] ?? { type: 'sequence', parts: [] }) : { type: 'alternatives', parts };
  }

  #branch(depth: number): PatternTree {
    const parts: PatternTree[] = [];
    while (this.#next !== undefined && this.#next !== '|' && this.#next !== ')') parts.push(this.#quantified(depth));
    if (parts.length === 0 && this.#characters.length > 0) throw new Unread();
    return { type: 'sequence', parts };
  }

  #quantified(depth: number): PatternTree {
    if (this.#take('^')) return this.#constraint('start');
    if (this.#take('$')) return this.#constraint('end');
    const part = this.#atom(depth);
    const bounds = this.#quantifier();
    if (bounds === undefined) return part;
    // Reluctant or not, the same texts match.
    this.#take('?');
    if (this.#next !== undefined && '*+?{'.includes(this.#next)) throw new Unread();
    return { type: 'repeat', part, ...bounds };
  }

  #constraint(type: 'start' | 'end'): PatternTree {
    if (this.#next !== undefined && '*+?{'.includes(this.#next)) throw new Unread();
    return { type };
  }

  #quantifier(): { readonly min: number; readonly max: number } | undefined {
    if (this.#take('*')) return { min: 0, max: Infinity };
    if (this.#take('+')) return { min: 1, max: Infinity };
    if (this.#take('?')) return { min: 0, max: 1 };
    if (this.#next !== '{') return undefined;
    const rest = this.#characters.slice(this.#at, this.#at + 9).join('');
    const match = /^\{(\d{1,3})(,(\d{1,3})?)?\}/.exec(rest);
    if (match === null) throw new Unread();
    this.#at += match[0].length;
    const min = Number(match[1]);
    const max = match[2] === undefined ? min : match[3] === undefined ? Infinity : Number(match[3]);
    if (min > MAX_REPEATS || (max !== Infinity && max > MAX_REPEATS) || max < min) throw new Unread();
    return { min, max };
  }

  #atom(depth: number): PatternTree {
    const character = this.#characters[this.#at++];
    if (character === undefined || '*+?{'.includes(character)) throw new Unread();
    if (character === '.') return { type: 'character', matches: () => true };
    if (character === '(') return this.#group(depth);
    if (character === '[') return { type: 'character', matches: this.#bracket() };
    if (character !== '\\') return this.#letter(character);
    const escaped = this.#characters[this.#at++] ?? '';
    const shorthand = SHORTHANDS[escaped];
    if (shorthand !== undefined) return { type: 'character', matches: this.#named(shorthand) };
    return this.#letter(plainEscape(escaped));
  }

  #group(depth: number): PatternTree {
    if (this.#take('?') && !this.#take(':')) throw new Unread();
    const tree = this.#alternatives(depth + 1);
    if (!this.#take(')')) throw new Unread();
    return tree;
  }

  #named(name: string): Matches {
    const matches = CLASSES[name];
    if (matches === undefined) throw new Unread();
    this.#localeMatters = true;
    this.#hasRanges = true;
    return matches;
  }

  #bracket(): Matches {
    const negated = this.#take('^');
    const members: Matches[] = [];
    for (let first = true; first || this.#next !== ']'; first = false) members.push(this.#member());
    this.#at++;
    this.#hasRanges = true;
    return (codePoint) => members.some((matches) => matches(codePoint)) !== negated;
  }

  #member(): Matches {
    const character = this.#characters[this.#at++];
    if (character === undefined) throw new Unread();
    if (character === '[' && this.#next !== undefined && ':.='.includes(this.#next)) return this.#classMember();
    if (character === '\\' && SHORTHANDS[this.#next ?? ''] !== undefined)
      return this.#named(SHORTHANDS[this.#characters[this.#at++] ?? ''] ?? '');
    const from = code(character === '\\' ? plainEscape(this.#characters[this.#at++] ?? '') : character);
    const isRange = this.#next === '-' && this.#characters[this.#at + 1] !== ']';
    if (!isRange) return (codePoint) => codePoint === from;
    this.#at++;
    const end = this.#characters[this.#at++];
    if (end === undefined || end === '[' || end === '\\') throw new Unread();
    const to = code(end);
    // Beyond ASCII, what lies between two characters may be the collation's.
    if (to < from || to > 127) throw new Unread();
    return (codePoint) => codePoint >= from && codePoint <= to;
  }

  #classMember(): Matches {
    const rest = this.#characters.slice(this.#at, this.#at + 12).join('');
    const match = /^:([a-z]+):\]/.exec(rest);
    if (match === null) throw new Unread();
    this.#at += match[0].length;
    return this.#named(match[1] ?? '');
  }
}

/** Letters and digits after a backslash are escapes of many kinds; signs stand for themselves. */
function plainEscape(escaped: string): string {
  const control = CONTROLS[escaped];
  if (control !== undefined) return control;
  if (escaped === '' || /[A-Za-z0-9_]/.test(escaped) || escaped > '\u007f') throw new Unread();
  return escaped;
}
