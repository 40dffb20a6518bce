/**
 * Finds the sealed values in JSON that the server made, by the places that the analysis said they are in. What a place holds is a string or
 * null; whatever is otherwise than the shape says fails, and nothing is released.
 */
import type { JsonForm, JsonShape, SealedColumn, ValueSort } from '../plan.ts';

/** A string of the text, from its first quote to behind its last. */
export type FoundString = {
  readonly column: SealedColumn;
  readonly form: JsonForm;
  readonly start: number;
  readonly end: number;
  /** One object for each list whose items are put in an order: they follow each other, and a null is one of them. */
  readonly list?: { readonly sorted: ValueSort };
  readonly isNull?: true;
};

const [QUOTE, COMMA, COLON, BACKSLASH] = [0x22, 0x2c, 0x3a, 0x5c];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];
const NULL = Buffer.from('null');

/** Throws where the text is not of the shape. */
export function findSealed(json: Uint8Array, shape: JsonShape): readonly FoundString[] {
  return new JsonWalk(json).all(shape);
}

class JsonWalk {
  readonly #json: Uint8Array;
  readonly #found: FoundString[] = [];
  #at = 0;

  constructor(json: Uint8Array) {
    this.#json = json;
  }

  all(shape: JsonShape): readonly FoundString[] {
    this.#value(shape);
    if (this.#next() !== undefined) throw unlike();
    return this.#found;
  }

  #value(shape: JsonShape): void {
    if (shape.is === 'plain') return this.#skip();
    if (this.#takesNothing()) return;
    switch (shape.is) {
      case 'value': {
        const start = this.#at;
        this.#string();
        this.#found.push({ column: shape.column, form: shape.form, start, end: this.#at });
        return;
      }
      case 'list': {
        const { items, sorted } = shape;
        const list = sorted && { sorted };
        return void this.#each(OPEN_LIST, CLOSE_LIST, () =>
          list === undefined ? this.#value(items) : this.#item(items, list),
        );
      }
      case 'tuple':
        return this.#counted(shape.items.length, OPEN_LIST, CLOSE_LIST, (index) =>
          this.#value(shape.items[index] ?? fail()),
        );
      case 'map':
        return void this.#each(OPEN_OBJECT, CLOSE_OBJECT, () => {
          this.#key();
          this.#value(shape.values);
        });
      case 'object':
        return this.#counted(shape.members.length, OPEN_OBJECT, CLOSE_OBJECT, (index) => {
          const key = this.#key();
          const name = shape.by === 'place' ? undefined : keyOf(key);
          const member = name === undefined ? shape.members[index] : shape.members.find((one) => one.key === name);
          this.#value(member?.shape ?? fail());
        });
    }
  }

  #item(shape: JsonShape, list: { readonly sorted: ValueSort }): void {
    if (shape.is !== 'value') throw unlike();
    const { column, form } = shape;
    const isNull = this.#next() !== QUOTE;
    const start = this.#at;
    if (!isNull) this.#string();
    else if (!this.#takesNull()) throw unlike();
    this.#found.push({ column, form, start, end: this.#at, list, ...(isNull && { isNull }) });
  }

  #counted(count: number, open: number, close: number, item: (index: number) => void): void {
    if (this.#each(open, close, item) !== count) throw unlike();
  }

  /** Of at least one. */
  #each(open: number, close: number, item: (index: number) => void): number {
    this.#take(open);
    for (let index = 0; ; index++) {
      item(index);
      if (this.#next() === close) {
        this.#at++;
        return index + 1;
      }
      this.#take(COMMA);
    }
  }

  #key(): Uint8Array {
    this.#next();
    const start = this.#at;
    this.#string();
    const key = this.#json.subarray(start, this.#at);
    this.#take(COLON);
    return key;
  }

  /** The next byte that is no space, at which it then stands. */
  #next(): number | undefined {
    while (isSpace(this.#json[this.#at])) this.#at++;
    return this.#json[this.#at];
  }

  #take(byte: number): void {
    if (this.#next() !== byte) throw unlike();
    this.#at++;
  }

  /** null; or an empty list or object, which COALESCE may give in the place of anything. */
  #takesNothing(): boolean {
    const first = this.#next();
    if (first === OPEN_LIST || first === OPEN_OBJECT) return this.#takesEmpty(first);
    return this.#takesNull();
  }

  #takesNull(): boolean {
    const end = this.#at + NULL.length;
    if (Buffer.compare(this.#json.subarray(this.#at, end), NULL) !== 0) return false;
    this.#at = end;
    return true;
  }

  #takesEmpty(open: number): boolean {
    const start = this.#at++;
    const isEmpty = this.#next() === (open === OPEN_LIST ? CLOSE_LIST : CLOSE_OBJECT);
    this.#at = isEmpty ? this.#at + 1 : start;
    return isEmpty;
  }

  #string(): void {
    this.#take(QUOTE);
    for (;;) {
      const byte = this.#json[this.#at++];
      if (byte === QUOTE) return;
      if (byte === BACKSLASH) this.#at++;
      if (byte === undefined) throw unlike();
    }
  }

  /** Any value: to the end of the string, the number or word, or of what is nested. */
  #skip(): void {
    let depth = 0;
    do {
      const byte = this.#next();
      if (byte === undefined) throw unlike();
      if (byte === QUOTE) this.#string();
      else if (byte === OPEN_LIST || byte === OPEN_OBJECT) this.#into(() => depth++);
      else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) this.#into(() => depth--);
      else if (byte === COMMA || byte === COLON) this.#into(() => 0);
      else this.#word();
      if (depth < 0) throw unlike();
    } while (depth > 0);
  }

  #into(count: () => number): void {
    count();
    this.#at++;
  }

  #word(): void {
    const start = this.#at;
    for (let byte = this.#json[this.#at]; byte !== undefined && !endsWord(byte); byte = this.#json[++this.#at]);
    if (this.#at === start) throw unlike();
  }
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function endsWord(byte: number): boolean {
  return (
    isSpace(byte) ||
    byte === COMMA ||
    byte === COLON ||
    byte === QUOTE ||
    byte === OPEN_LIST ||
    byte === CLOSE_LIST ||
    byte === OPEN_OBJECT ||
    byte === CLOSE_OBJECT
  );
}

function keyOf(key: Uint8Array): string {
  return String(JSON.parse(Buffer.from(key).toString('utf8')));
}

function unlike(): TypeError {
  return new TypeError('JSON of another shape than was planned');
}

function fail(): never {
  throw unlike();
}
