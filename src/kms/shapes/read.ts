/**
 * Reads a request's body by the shape of its action: bytes to values of the right types, which `validate.ts` then holds against
 * their limits. Members that the shape does not know are skipped, as AWS does; `null` is the same as absent.
 */
import { bareRecord } from '../json/bare-record.ts';
import { decodeBase64 } from '../json/base64.ts';
import { KmsError } from '../errors.ts';
import { JsonScanner, unescapeBytes, unreadable, type JsonKind } from '../json/scanner.ts';
import type { ListData, ShapeData, StructData } from './shapes.ts';

/** Values by member name; absent ones are not there. */
export type ReadStruct = Readonly<Record<string, unknown>>;

/** What was read. `wipe` zeroes every blob in it, whatever became of the request. */
export type ReadInput = { readonly value: ReadStruct; readonly wipe: () => void };

/** Errors: ERR_KMS_SERIALIZATION; ERR_KMS_VALIDATION for too many structures in a list. On an error nothing of a blob is left. */
export function readInput(body: Uint8Array, shape: StructData): ReadInput {
  const reader = new Reader(body);
  try {
    return { value: reader.whole(shape), wipe: () => reader.wipe() };
  } catch (error) {
    reader.wipe();
    throw error;
  }
}

/** AWS's words for kinds, as its errors have them. */
const FOUND: Readonly<Record<JsonKind, string>> = {
  object: 'Start of structure or map',
  array: 'Start of list',
  string: 'STRING_VALUE',
  number: 'NUMBER_VALUE',
  true: 'TRUE_VALUE',
  false: 'FALSE_VALUE',
  null: 'NULL_VALUE',
};

const WANTED = {
  string: ['string', 'a String'],
  integer: ['number', 'an Integer'],
  timestamp: ['number', 'a Timestamp'],
  boolean: ['true', 'a Boolean'],
  blob: ['string', 'a Blob'],
  list: ['array', 'a List'],
  map: ['object', 'a Map'],
  struct: ['object', 'a Structure'],
} as const satisfies Record<ShapeData['type'], readonly [JsonKind, string]>;

class Reader {
  readonly #scanner: JsonScanner;
  readonly #blobs: Uint8Array[] = [];

  constructor(body: Uint8Array) {
    this.#scanner = new JsonScanner(body);
  }

  whole(shape: StructData): ReadStruct {
    this.#assertKind(shape);
    const value = this.#struct(shape);
    this.#scanner.end();
    return value;
  }

  wipe(): void {
    for (const blob of this.#blobs) blob.fill(0);
  }

  #value(shape: ShapeData): unknown {
    this.#assertKind(shape);
    switch (shape.type) {
      case 'string':
        return this.#scanner.string();
      case 'integer':
        return this.#integer();
      case 'timestamp':
        return this.#scanner.number();
      case 'boolean':
        return this.#boolean();
      case 'blob':
        return this.#blob();
      case 'list':
        return this.#list(shape);
      case 'map':
        return this.#map();
      case 'struct':
        return this.#struct(shape);
    }
  }

  #assertKind(shape: ShapeData): void {
    const found = this.#scanner.kind();
    const [wanted, name] = WANTED[shape.type];
    if (found === wanted || (wanted === 'true' && found === 'false')) return;
    throw unreadable(`${FOUND[found]} can not be converted to ${name}`);
  }

  #integer(): number {
    const number = this.#scanner.number();
    if (!Number.isSafeInteger(number)) throw unreadable('NUMBER_VALUE can not be converted to an Integer');
    return number;
  }

  #boolean(): boolean {
    const isTrue = this.#scanner.kind() === 'true';
    this.#scanner.word(isTrue ? 'true' : 'false');
    return isTrue;
  }

  #blob(): Uint8Array {
    const raw = this.#scanner.stringBytes();
    const escaped = raw.includes(0x5c);
    const text = escaped ? unescapeBytes(raw) : raw;
    const bytes = decodeBase64(text);
    if (escaped) text.fill(0);
    if (bytes === undefined) throw unreadable('A blob is not base64.');
    this.#blobs.push(bytes);
    return bytes;
  }

  /** Of structures no more are read than may be: a body of empty ones would keep everybody waiting. */
  #list({ of, max = Number.POSITIVE_INFINITY }: ListData): readonly unknown[] {
    const most = of.type === 'struct' ? max : Number.POSITIVE_INFINITY;
    const values: unknown[] = [];
    this.#scanner.array(() => {
      if (values.length >= most) throw new KmsError('ERR_KMS_VALIDATION', `A list has more than ${most} entries.`);
      values.push(this.#value(of));
    });
    return values;
  }

  #map(): Readonly<Record<string, string>> {
    const map = bareRecord<string>();
    this.#scanner.object((name) => {
      map[name] = this.#text();
    });
    return map;
  }

  #text(): string {
    this.#assertKind({ type: 'string' });
    return this.#scanner.string();
  }

  #struct(shape: StructData): ReadStruct {
    const struct = bareRecord<unknown>();
    this.#scanner.object((name) => {
      const member = Object.hasOwn(shape.members, name) ? shape.members[name] : undefined;
      if (member === undefined) this.#scanner.skip();
      else if (this.#scanner.kind() === 'null') this.#scanner.word('null');
      else struct[name] = this.#value(member.shape);
    });
    return struct;
  }
}
