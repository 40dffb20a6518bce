/** Keys and sealed bodies for the tests of src/envelope/object. */
import { randomBytes } from 'node:crypto';
import { takeKey, type Dek } from '../../src/crypto/key-types.ts';
import type { RandomSource } from '../../src/crypto/random.ts';
import { concatBytes } from '../../src/crypto/bytes.ts';
import { BodySealer, type BodySealerInput } from '../../src/envelope/object/body-sealer.ts';
import {
  encodeFooter,
  FOOTER_PART_NUMBER,
  sealFooterPart,
  type FooterInput,
} from '../../src/envelope/object/footer.ts';
import type { BodyRecord } from '../../src/envelope/object/record.ts';
import { SHORT_PART_BYTES } from '../../src/envelope/limits.ts';

export const random: RandomSource = (bytes) => Uint8Array.from(randomBytes(bytes));
export const newDek = (): Dek => takeKey('Dek', random(32));
export const OPEN_FAILED = { code: 'ERR_ENVELOPE_OPEN_FAILED' };
export const MALFORMED = { code: 'ERR_ENVELOPE_MALFORMED' };

export type FixtureObject = { readonly dek: Dek; readonly objectId: Uint8Array };
export const newObject = (): FixtureObject => ({ dek: newDek(), objectId: random(16) });

/** Bytes that repeat nowhere by accident. */
export const plaintextOf = (length: number): Uint8Array => Uint8Array.from(randomBytes(length));

export function sealBody(
  object: FixtureObject,
  plaintext: Uint8Array,
  options: Partial<BodySealerInput> & { record?: BodyRecord; footer?: Uint8Array; source?: RandomSource } = {},
): { bytes: Uint8Array; salt: Uint8Array } {
  const { record = { digests: {} }, footer, source = random, ...input } = options;
  const partNumber = input.partNumber ?? 0;
  const body = { ...object, partNumber, plainLength: plaintext.length, final: partNumber === 0, ...input };
  const sealer = new BodySealer(body, source);
  const bytes = concatBytes(sealer.header(), ...sealer.push(plaintext), ...sealer.finish(record, footer));
  return { bytes, salt: sealer.salt };
}

/** A whole multipart object as stored; the last part carries the list, or a footer part follows where it is too long. */
export function sealMultipart(
  object: FixtureObject,
  parts: readonly { readonly partNumber: number; readonly plaintext: Uint8Array }[],
  options: {
    readonly footerPart?: boolean;
    readonly checksum?: FooterInput['checksum'];
    readonly salts?: boolean;
  } = {},
): Uint8Array[] {
  const last = parts.at(-1);
  const isLong = (last?.plaintext.length ?? 0) >= SHORT_PART_BYTES && last?.partNumber !== FOOTER_PART_NUMBER;
  const footerPart = options.footerPart ?? isLong;
  const table = parts.map(({ partNumber, plaintext }) => ({ partNumber, plainLength: plaintext.length }));
  const earlier = (footerPart ? parts : parts.slice(0, -1)).map((p) =>
    sealBody(object, p.plaintext, { partNumber: p.partNumber }),
  );
  const input = { parts: table, checksum: options.checksum };
  const bodies = earlier.map((body) => body.bytes);
  if (footerPart || last === undefined) {
    const salts = options.salts === false ? undefined : earlier.map((body) => body.salt);
    return [...bodies, sealFooterPart({ ...input, salts }, object.dek, object.objectId, random)];
  }
  // The list is about the salt of the very part that carries it, so its salt is drawn first.
  const salt = random(32);
  const salts = options.salts === false ? undefined : [...earlier.map((body) => body.salt), salt];
  const footer = encodeFooter({ ...input, salts }, object.dek, object.objectId, random);
  const source: RandomSource = (count) => (count === 32 ? salt : random(count));
  const { partNumber, plaintext } = last;
  return [...bodies, sealBody(object, plaintext, { partNumber, final: true, footer, source }).bytes];
}

/** A copy with one bit changed. */
export function flip(bytes: Uint8Array, at: number): Uint8Array {
  const flipped = Uint8Array.from(bytes);
  flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
  return flipped;
}

/** Pushes `bytes` in pieces that end at `cuts`. */
export function* pieces(bytes: Uint8Array, cuts: readonly number[]): Generator<Uint8Array> {
  let from = 0;
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    yield bytes.subarray(from, cut);
    from = cut;
  }
  yield bytes.subarray(from);
}
