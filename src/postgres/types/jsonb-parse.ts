/**
 * Reads JSON as jsonb_in does (src/common/jsonapi.c, jsonb.c): numbers become numeric, the last of equal keys wins, keys are
 * sorted by length and then by bytes. Plain objects are not used: a key may be `__proto__`.
 */
import { formatDecimal } from './decimal.ts';
import { parseDecimal } from './decimal-text.ts';
import { invalidSyntax, SQLSTATE, ValueError } from './errors.ts';

export type JsonValue =
  | { readonly type: 'string'; readonly value: string }
  /** Numbers, true, false and null: as they print. */
  | { readonly type: 'plain'; readonly text: string }
  | { readonly type: 'array'; readonly items: readonly JsonValue[] }
  | { readonly type: 'object'; readonly entries: ReadonlyMap<string, JsonValue> };

/** The server stops at max_stack_depth, some thousands deep; we stop earlier, and always at the same depth. */
const MAX_DEPTH = 1500;

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
// A number, or word, that runs on into these characters is a syntax error of the server's lexer.
const WORD_CHARACTER = /[A-Za-z0-9_$\u0080-\uffff]/;
const PLAIN_STRING = /[^"\\\u0000-\u001f]*/y;
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

export function parseJson(text: string): JsonValue {
  return new JsonParser(text).document();
}

/** As json_in, which looks at the grammar alone: escapes and the size of numbers are nobody's business there. */
export function checkJson(text: string): void {
  new JsonParser(text, 'text').document();
}

class JsonParser {
  readonly #text: string;
  /** Whether values are made of what is read (jsonb), or it only must be JSON. */
  readonly #keeps: 'values' | 'text';
  #at = 0;

  constructor(text: string, keeps: 'values' | 'text' = 'values') {
    this.#text = text;
    this.#keeps = keeps;
  }

  document(): JsonValue {
    const value = this.#value(0);
    this.#skipSpace();
    if (this.#at !== this.#text.length) throw invalidSyntax('json');
    return value;
  }

  #value(depth: number): JsonValue {
    if (depth > MAX_DEPTH) {
      throw new ValueError('ERR_POSTGRES_VALUE_INVALID', SQLSTATE.tooDeep, 'JSON is nested too deeply');
    }
    this.#skipSpace();
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object(depth);
      case '[':
        return this.#array(depth);
      case '"':
        return { type: 'string', value: this.#string() };
      case 't':
        return this.#word('true');
      case 'f':
        return this.#word('false');
      case 'n':
        return this.#word('null');
      default:
        return this.#number();
    }
  }

  #object(depth: number): JsonValue {
    const entries = new Map<string, JsonValue>();
    this.#at++;
    if (this.#take('}')) return { type: 'object', entries };
    do {
      this.#skipSpace();
      if (this.#text[this.#at] !== '"') throw invalidSyntax('json');
      const key = this.#string();
      this.#expect(':');
      entries.set(key, this.#value(depth + 1));
    } while (this.#take(','));
    this.#expect('}');
    return { type: 'object', entries };
  }

  #array(depth: number): JsonValue {
    const items: JsonValue[] = [];
    this.#at++;
    if (this.#take(']')) return { type: 'array', items };
    do items.push(this.#value(depth + 1));
    while (this.#take(','));
    this.#expect(']');
    return { type: 'array', items };
  }

  #word(word: string): JsonValue {
    if (!this.#text.startsWith(word, this.#at)) throw invalidSyntax('json');
    this.#at += word.length;
    this.#endOfToken();
    return { type: 'plain', text: word };
  }

  #number(): JsonValue {
    NUMBER.lastIndex = this.#at;
    const digits = NUMBER.exec(this.#text)?.[0];
    if (digits === undefined) throw invalidSyntax('json');
    this.#at += digits.length;
    this.#endOfToken();
    return { type: 'plain', text: this.#keeps === 'text' ? '' : formatDecimal(parseDecimal(digits)) };
  }

  #endOfToken(): void {
    const next = this.#text[this.#at];
    if (next !== undefined && WORD_CHARACTER.test(next)) throw invalidSyntax('json');
  }

  #string(): string {
    let value = '';
    this.#at++;
    for (;;) {
      PLAIN_STRING.lastIndex = this.#at;
      const run = PLAIN_STRING.exec(this.#text)?.[0] ?? '';
      value += run;
      this.#at += run.length;
      const next = this.#text[this.#at++];
      if (next === '"') return value;
      if (next !== '\\') throw invalidSyntax('json');
      value += this.#escape();
    }
  }

  #escape(): string {
    const letter = this.#text[this.#at++] ?? '';
    const plain = ESCAPES[letter];
    if (plain !== undefined) return plain;
    if (letter !== 'u') throw invalidSyntax('json');
    const unit = this.#hexUnit();
    if (this.#keeps === 'text') return '';
    if (unit === 0) {
      throw new ValueError('ERR_POSTGRES_VALUE_INVALID', SQLSTATE.unicodeEscape, 'unsupported Unicode escape sequence');
    }
    if (unit < 0xd800 || unit > 0xdfff) return String.fromCharCode(unit);
    return this.#surrogatePair(unit);
  }

  #surrogatePair(high: number): string {
    const escaped = this.#text.startsWith('\\u', this.#at);
    if (high > 0xdbff || !escaped) throw invalidSyntax('json');
    this.#at += 2;
    const low = this.#hexUnit();
    if (low < 0xdc00 || low > 0xdfff) throw invalidSyntax('json');
    return String.fromCharCode(high, low);
  }

  #hexUnit(): number {
    const digits = this.#text.slice(this.#at, this.#at + 4);
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw invalidSyntax('json');
    this.#at += 4;
    return Number.parseInt(digits, 16);
  }

  #take(symbol: string): boolean {
    this.#skipSpace();
    if (this.#text[this.#at] !== symbol) return false;
    this.#at++;
    return true;
  }

  #expect(symbol: string): void {
    if (!this.#take(symbol)) throw invalidSyntax('json');
  }

  #skipSpace(): void {
    while (' \t\n\r'.includes(this.#text[this.#at] ?? 'x')) this.#at++;
  }
}
