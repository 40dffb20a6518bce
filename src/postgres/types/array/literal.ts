/** Arrays of any dimensions as text: array_in and array_out in src/backend/utils/adt/arrayfuncs.c. Elements are the bytes of their text. */
import { type ArrayElements, type ArrayShape, MAX_DIMENSIONS, type ShapedElements } from './shape.ts';
import { decodeText, encodeText, isSpace, trimSpace } from '../bytes.ts';
import { SQLSTATE, tooManyDimensions, ValueError } from '../errors.ts';

const BOUND = /\[\s*([+-]?\d{1,10})\s*(?::\s*([+-]?\d{1,10})\s*)?\]\s*/y;
const MAX_INT4 = 0x7fffffff;

function malformed(): ValueError {
  return new ValueError('ERR_POSTGRES_VALUE_INVALID', SQLSTATE.syntax, 'malformed array literal');
}

export function parseArrayLiteral(bytes: Uint8Array): ShapedElements {
  const text = trimSpace(decodeText(bytes));
  const { bounds, at } = readBounds(text);
  const { sizes, elements } = new LiteralReader(text, at).whole();
  if (elements.length === 0) {
    if (bounds.length > 0) throw malformed();
    return { shape: [], elements };
  }
  if (bounds.length === 0) return { shape: sizes.map((size) => ({ size, lower: 1 })), elements };
  const fits = bounds.length === sizes.length && bounds.every(({ size }, index) => size === sizes[index]);
  if (!fits) throw malformed();
  return { shape: bounds, elements };
}

/** `[1:2][0:1]=` */
function readBounds(text: string): { readonly bounds: ArrayShape; readonly at: number } {
  const bounds: { readonly size: number; readonly lower: number }[] = [];
  let at = 0;
  for (;;) {
    BOUND.lastIndex = at;
    const match = BOUND.exec(text);
    if (match === null) break;
    const lower = match[2] === undefined ? 1 : Number(match[1]);
    const upper = Number(match[2] ?? match[1]);
    if (bounds.length >= MAX_DIMENSIONS) throw tooManyDimensions();
    if (upper < lower - 1 || Math.abs(lower) > MAX_INT4 || upper >= MAX_INT4) throw badBound();
    if (upper < lower) throw badBound();
    bounds.push({ size: upper - lower + 1, lower });
    at += match[0].length;
  }
  if (bounds.length === 0) return { bounds, at };
  if (text[at] !== '=') throw malformed();
  at++;
  while (isSpace(text[at])) at++;
  return { bounds, at };
}

function badBound(): ValueError {
  return new ValueError(
    'ERR_POSTGRES_VALUE_INVALID',
    SQLSTATE.arraySubscript,
    'upper bound cannot be less than lower bound',
  );
}

class LiteralReader {
  readonly #text: string;
  #at: number;
  readonly #elements: (Uint8Array | undefined)[] = [];
  /** Of each dimension; undefined: its first list is not over. */
  readonly #sizes: (number | undefined)[] = [];
  /** How deep elements lie; undefined: none was seen. */
  #depth: number | undefined;

  constructor(text: string, at: number) {
    this.#text = text;
    this.#at = at;
  }

  whole(): { readonly sizes: readonly number[]; readonly elements: ArrayElements } {
    if (this.#text[this.#at] !== '{') throw malformed();
    this.#list(1);
    if (this.#at !== this.#text.length) throw malformed();
    return { sizes: this.#sizes.map((size) => size ?? 0), elements: this.#elements };
  }

  #list(depth: number): void {
    if (depth > MAX_DIMENSIONS) throw tooManyDimensions();
    if (this.#sizes.length < depth) {
      // A list where an element was before.
      if (this.#depth !== undefined) throw malformed();
      this.#sizes.push(undefined);
    }
    this.#at++;
    this.#skipSpace();
    let count = 0;
    if (this.#text[this.#at] !== '}') {
      for (;;) {
        this.#item(depth);
        count++;
        if (this.#text[this.#at] !== ',') break;
        this.#at++;
        this.#skipSpace();
      }
    }
    if (this.#text[this.#at] !== '}') throw malformed();
    this.#at++;
    this.#skipSpace();
    const known = this.#sizes[depth - 1];
    if (known !== undefined && known !== count) throw malformed();
    this.#sizes[depth - 1] = count;
  }

  #item(depth: number): void {
    if (this.#text[this.#at] === '{') {
      if (this.#depth !== undefined && depth >= this.#depth) throw malformed();
      return this.#list(depth + 1);
    }
    if (this.#sizes.length > depth) throw malformed();
    this.#depth = depth;
    this.#elements.push(this.#text[this.#at] === '"' ? this.#quoted() : this.#unquoted());
  }

  #quoted(): Uint8Array {
    let text = '';
    this.#at++;
    for (;;) {
      const character = this.#text[this.#at++];
      if (character === undefined) throw malformed();
      if (character === '"') break;
      text += character === '\\' ? this.#escaped() : character;
    }
    this.#skipSpace();
    return encodeText(text);
  }

  /** Blanks at the end go, unless they are escaped. */
  #unquoted(): Uint8Array | undefined {
    let text = '';
    let kept = 0;
    let escapes = false;
    for (;;) {
      const character = this.#text[this.#at];
      if (character === undefined || '{"'.includes(character)) throw malformed();
      if (character === ',' || character === '}') break;
      this.#at++;
      text += character === '\\' ? this.#escaped() : character;
      escapes ||= character === '\\';
      if (character === '\\' || !isSpace(character)) kept = text.length;
    }
    if (kept === 0) throw malformed();
    const value = text.slice(0, kept);
    return !escapes && /^null$/i.test(value) ? undefined : encodeText(value);
  }

  #escaped(): string {
    const character = this.#text[this.#at++];
    if (character === undefined) throw malformed();
    return character;
  }

  #skipSpace(): void {
    while (isSpace(this.#text[this.#at])) this.#at++;
  }
}

export function printArrayLiteral({ shape, elements }: ShapedElements): Uint8Array {
  if (shape.length === 0) return encodeText('{}');
  const bounds = shape.every(({ lower }) => lower === 1)
    ? ''
    : `${shape.map(({ size, lower }) => `[${lower}:${lower + size - 1}]`).join('')}=`;
  const texts = elements.map((element) =>
    element === undefined ? 'NULL' : quoted(Buffer.from(element).toString('utf8')),
  );
  return encodeText(
    bounds +
      nested(
        shape.map(({ size }) => size),
        texts,
      ),
  );
}

function quoted(text: string): string {
  return needsQuotes(text) ? `"${text.replace(/["\\]/g, '\\$&')}"` : text;
}

/** White space as C has it, not as JavaScript. */
function needsQuotes(text: string): boolean {
  return text === '' || /["\\{},]/.test(text) || /^null$/i.test(text) || Array.from(text).some(isSpace);
}

function nested(sizes: readonly number[], texts: readonly string[]): string {
  const [size = 0, ...inner] = sizes;
  if (inner.length === 0) return `{${texts.join(',')}}`;
  const width = texts.length / size;
  const lists = Array.from({ length: size }, (_, index) =>
    nested(inner, texts.slice(index * width, (index + 1) * width)),
  );
  return `{${lists.join(',')}}`;
}
