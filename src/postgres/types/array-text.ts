/**
 * One-dimensional array literals, `{a,"b c",NULL}`, as array_in reads them (src/backend/utils/adt/arrayfuncs.c): for `= ANY($1)`.
 * Elements come back as raw bytes of their text; undefined is NULL.
 */
import { decodeText, encodeText, isSpace, trimSpace } from './bytes.ts';
import { SQLSTATE, unsupported, ValueError } from './errors.ts';

/** Bounds before the braces, `[1:3]=`, say nothing that = ANY looks at. */
const BOUNDS = /^\[[+-]?\d+(?::[+-]?\d+)?\]\s*=\s*/;

export function parseArrayText(bytes: Uint8Array): readonly (Uint8Array | undefined)[] {
  const text = trimSpace(decodeText(bytes)).replace(BOUNDS, '');
  if (!text.startsWith('{')) throw malformed();
  return new ArrayReader(text).elements();
}

function malformed(): ValueError {
  return new ValueError('ERR_POSTGRES_VALUE_INVALID', SQLSTATE.syntax, 'malformed array literal');
}

class ArrayReader {
  readonly #text: string;
  #at = 1;

  constructor(text: string) {
    this.#text = text;
  }

  elements(): readonly (Uint8Array | undefined)[] {
    const elements: (Uint8Array | undefined)[] = [];
    this.#skipSpace();
    if (this.#text[this.#at] === '}') return this.#end(elements);
    for (;;) {
      elements.push(this.#element());
      const next = this.#text[this.#at];
      if (next === '}') return this.#end(elements);
      if (next !== ',') throw malformed();
      this.#at++;
    }
  }

  #end(elements: readonly (Uint8Array | undefined)[]): readonly (Uint8Array | undefined)[] {
    if (this.#at !== this.#text.length - 1) throw malformed();
    return elements;
  }

  #element(): Uint8Array | undefined {
    this.#skipSpace();
    if (this.#text[this.#at] === '{') {
      throw unsupported(
        'arrays of several dimensions are not supported for a sealed column',
        'Send a one-dimensional array.',
      );
    }
    return this.#text[this.#at] === '"' ? this.#quoted() : this.#unquoted();
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
