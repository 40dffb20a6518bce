/**
 * JSON as policies need it: a name that stands twice in an object is refused (RFC 8259 section 4 leaves its meaning open, and
 * `"Effect": "Deny", …, "Effect": "Allow"` must not mean what the reader did not see), and nesting is bounded.
 */
import { malformed, shown } from './malformed.ts';

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;
/** A Map: names like `__proto__` are names. */
export type JsonObject = ReadonlyMap<string, JsonValue>;

/** Policy, statement list, statement, condition, operator, key, values: seven, and room. */
const MAX_DEPTH = 16;

const SPACE = /[ \t\r\n]*/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const WORDS = [
  ['true', true],
  ['false', false],
  ['null', null],
] as const;

/** ERR_KEYS_POLICY_MALFORMED for whatever is not JSON, has a name twice or nests too deep. Linear in the text. */
export function parseJson(text: string): JsonValue {
  const reader = new JsonReader(text);
  const value = reader.value(0);
  reader.end();
  return value;
}

class JsonReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): JsonValue {
    if (depth > MAX_DEPTH) throw malformed('the policy nests too deep');
    this.#space();
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object(depth);
      case '[':
        return this.#array(depth);
      case '"':
        return this.#string();
      default:
        return this.#word();
    }
  }

  end(): void {
    this.#space();
    if (this.#at < this.#text.length) throw this.#unexpected();
  }

  #object(depth: number): JsonObject {
    const members = new Map<string, JsonValue>();
    this.#at += 1;
    if (this.#takes('}')) return members;
    do {
      this.#space();
      const name = this.#string();
      if (members.has(name)) throw malformed(`${shown(name)} stands twice in one object`);
      if (!this.#takes(':')) throw this.#unexpected();
      members.set(name, this.value(depth + 1));
    } while (this.#takes(','));
    if (!this.#takes('}')) throw this.#unexpected();
    return members;
  }

  #array(depth: number): readonly JsonValue[] {
    const values: JsonValue[] = [];
    this.#at += 1;
    if (this.#takes(']')) return values;
    do values.push(this.value(depth + 1));
    while (this.#takes(','));
    if (!this.#takes(']')) throw this.#unexpected();
    return values;
  }

  /** Finds the closing quote; what stands between is for JSON.parse to judge. */
  #string(): string {
    const start = this.#at;
    if (this.#text[start] !== '"') throw this.#unexpected();
    let end = start + 1;
    while (end < this.#text.length && this.#text[end] !== '"') end += this.#text[end] === '\\' ? 2 : 1;
    this.#at = end + 1;
    try {
      // JSON.parse of a text in quotes is a string or throws.
      return JSON.parse(this.#text.slice(start, end + 1)) as string;
    } catch {
      this.#at = start;
      throw this.#unexpected();
    }
  }

  #word(): boolean | null | number {
    for (const [word, value] of WORDS) {
      if (!this.#text.startsWith(word, this.#at)) continue;
      this.#at += word.length;
      return value;
    }
    NUMBER.lastIndex = this.#at;
    const [digits] = NUMBER.exec(this.#text) ?? [];
    if (digits === undefined) throw this.#unexpected();
    this.#at += digits.length;
    return Number(digits);
  }

  #takes(character: string): boolean {
    this.#space();
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #space(): void {
    SPACE.lastIndex = this.#at;
    this.#at += SPACE.exec(this.#text)?.[0].length ?? 0;
  }

  #unexpected(): Error {
    return malformed(
      this.#at >= this.#text.length
        ? 'the policy is no JSON: it ends too early'
        : `the policy is no JSON: unexpected ${shown(this.#text[this.#at] ?? '')} at character ${this.#at + 1}`,
    );
  }
}
