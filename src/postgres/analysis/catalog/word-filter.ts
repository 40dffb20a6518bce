/**
 * Which words a text may have: a Bloom filter over its runs of word characters. Texts of routines are many megabytes, and in most of them none of the names that
 * are looked for is: to tell that, no string is made of any word.
 *
 * Invariant: what is in the text is in the filter. What is in the filter may be in the text.
 */

const [UNDERSCORE, ZERO, NINE] = [0x5f, 0x30, 0x39];
/** Of the ASCII characters, those of words. */
const WORD_CODES = Uint8Array.from({ length: 128 }, (_, code) => Number(/\w/.test(String.fromCharCode(code))));

/** As src/backend/parser/scan.l has identifiers; a dollar may be one of the quotes around a body. */
export const isWordCode = (code: number): boolean => code >= 0x80 || WORD_CODES[code] === 1;
/** Names may begin within what does so: a number may end where a name begins, and an array's type is called as its elements' is, behind underscores. */
export const startsAmidst = (code: number): boolean => code === UNDERSCORE || (code >= ZERO && code <= NINE);

/** FNV-1a of UTF-16 units. */
const HASH_SEED = 0x811c9dc5;
const step = (hash: number, code: number): number => Math.imul(hash ^ code, 0x01000193);

export function hashOf(word: string): number {
  let hash = HASH_SEED;
  for (let at = 0; at < word.length; at += 1) hash = step(hash, word.charCodeAt(at));
  return hash | 0;
}

/** What a run that starts amidst may stand for. */
type ReadingsOf = (run: string) => Iterable<string>;

function forEachHash(text: string, readingsOf: ReadingsOf, found: (hash: number) => void): void {
  for (let at = 0; at < text.length; at += 1) {
    let code = text.charCodeAt(at);
    if (!isWordCode(code)) continue;
    const start = at;
    const isAmidst = startsAmidst(code);
    let hash = HASH_SEED;
    while (at < text.length && isWordCode((code = text.charCodeAt(at)))) {
      hash = step(hash, code);
      at += 1;
    }
    found(hash);
    if (isAmidst) for (const word of readingsOf(text.slice(start, at))) found(hashOf(word));
  }
}

/** Of its words, each once: those of a short text are sooner looked through than many names. */
export function hashesOf(text: string, readingsOf: ReadingsOf): Int32Array {
  const hashes = new Set<number>();
  forEachHash(text, readingsOf, (hash) => hashes.add(hash | 0));
  return Int32Array.from(hashes);
}

/** For each character of the text; of those every fifth or so begins a word, and many are the same. */
const BITS_A_CHARACTER = 4;
const MIN_BITS = 64;
/** Of one hash, one each of three bits is taken. */
const SHIFTS = [0, 9, 17] as const;

export class WordFilter {
  readonly #bits: Uint32Array;
  readonly #mask: number;

  constructor(text: string, readingsOf: ReadingsOf) {
    let bits = MIN_BITS;
    while (bits < text.length * BITS_A_CHARACTER) bits *= 2;
    this.#bits = new Uint32Array(bits / 32);
    this.#mask = bits - 1;
    forEachHash(text, readingsOf, (hash) => this.#add(hash));
  }

  #add(hash: number): void {
    for (const shift of SHIFTS) {
      const bit = (hash >>> shift) & this.#mask;
      this.#bits[bit >>> 5] = (this.#bits[bit >>> 5] ?? 0) | (1 << (bit & 31));
    }
  }

  mayHave(hash: number): boolean {
    for (const shift of SHIFTS) {
      const bit = (hash >>> shift) & this.#mask;
      if (((this.#bits[bit >>> 5] ?? 0) & (1 << (bit & 31))) === 0) return false;
    }
    return true;
  }
}
