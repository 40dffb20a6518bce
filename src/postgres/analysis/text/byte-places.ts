/** Byte offsets of UTF-8 text as places in characters and in UTF-16 units: counted once, and from the mark before from then on. */

/** Bytes from mark to mark. */
const STRIDE = 256;

export class BytePlaces {
  readonly #bytes: Uint8Array;
  /** Before each mark. */
  readonly #characters: Uint32Array;
  readonly #units: Uint32Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    const marks = Math.floor(bytes.length / STRIDE) + 1;
    this.#characters = new Uint32Array(marks);
    this.#units = new Uint32Array(marks);
    for (let mark = 1; mark < marks; mark += 1) {
      this.#characters[mark] = this.characters(mark * STRIDE, mark - 1);
      this.#units[mark] = this.units(mark * STRIDE, mark - 1);
    }
  }

  /** How many characters (code points) begin before it. */
  characters(offset: number, mark = this.#markBefore(offset)): number {
    let count = this.#characters[mark] ?? 0;
    for (let at = mark * STRIDE; at < offset; at += 1) if (isFirst(this.#bytes[at])) count += 1;
    return count;
  }

  /** How many UTF-16 units: two for a character of four bytes. */
  units(offset: number, mark = this.#markBefore(offset)): number {
    let count = this.#units[mark] ?? 0;
    for (let at = mark * STRIDE; at < offset; at += 1) {
      const byte = this.#bytes[at];
      if (isFirst(byte)) count += byte >= FIRST_OF_FOUR ? 2 : 1;
    }
    return count;
  }

  #markBefore(offset: number): number {
    return Math.min(Math.floor(offset / STRIDE), this.#characters.length - 1);
  }
}

const FIRST_OF_FOUR = 0xf0;

/** All but continuation bytes (10xxxxxx). */
function isFirst(byte: number | undefined): byte is number {
  return byte !== undefined && (byte & 0xc0) !== 0x80;
}
