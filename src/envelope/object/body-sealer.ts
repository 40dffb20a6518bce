/**
 * Seals one body as it flows: synchronous, nothing buffered, one allocation for each piece of ciphertext.
 *
 * Invariant: the last tag, the record and the padding leave only through `finish`, so a store that was promised
 * `storedLength` bytes never completes an object whose plaintext has not been verified.
 */
import { createCipheriv, type CipherGCM } from 'node:crypto';
import { concatBytes } from '../../crypto/bytes.ts';
import type { Dek } from '../../crypto/key-types.ts';
import type { RandomSource } from '../../crypto/random.ts';
import { assertLength } from '../codec.ts';
import { EnvelopeError } from '../errors.ts';
import { FOOTER_BLOCK_BYTES, MAX_PART_NUMBER, SHORT_PART_BYTES } from '../limits.ts';
import { encodePartHeader, type PartHeader } from './part-header.ts';
import { sealRecord, type BodyRecord } from './record.ts';
import { paddingOf, storedSizeOf } from './sizes.ts';
import {
  NONCE_PREFIX_BYTES,
  encodeStreamHeader,
  plainBytesOf,
  segmentNonce,
  streamParameters,
  type StreamParameters,
} from './stream.ts';
import { SALT_BYTES } from './subkeys.ts';

export type BodySealerInput = {
  readonly dek: Dek;
  /** 16 bytes. */
  readonly objectId: Uint8Array;
  /** 0 for a single PUT, 1 to 10000 for a part. */
  readonly partNumber: number;
  /** Exact length of the plaintext to come. */
  readonly plainLength: number;
  /** True for a single PUT, and for the part that carries the footer block (part 10 000 always does); then `finish` wants the block. */
  readonly final: boolean;
  /** A short last part, or part 10 000: held as a hidden object until its upload completes. */
  readonly held?: boolean;
};

export class BodySealer {
  /** Bytes that header, pushes and finish give in all. */
  readonly storedLength: number;
  /** Fresh for this sealing; its first 8 bytes go into the footer's salts digest. */
  readonly salt: Uint8Array;

  readonly #dek: Dek;
  readonly #stream: StreamParameters;
  #segment = 0;
  #cipher: CipherGCM;
  /** Plaintext left for the current segment, and for the body. */
  #segmentLeft: number;
  #left: number;
  #finished = false;

  /** Errors: ERR_ENVELOPE_TOO_LARGE (over a PUT's or part's limit). */
  constructor(input: BodySealerInput, random: RandomSource) {
    const { dek, objectId, partNumber, plainLength, final, held = false } = input;
    const layout = held ? 'held' : partNumber === 0 ? 'single' : 'part';
    const header: PartHeader = { layout, partNumber, final, plainLength, objectId: Uint8Array.from(objectId) };
    if (layout === 'part' && final && plainLength >= SHORT_PART_BYTES && partNumber < MAX_PART_NUMBER) {
      throw new RangeError('a part this long is followed by a footer part; it has no room for the list');
    }
    const headerBytes = encodePartHeader(header, dek);
    this.salt = random(SALT_BYTES);
    this.storedLength = storedSizeOf(layout, plainLength);
    this.#dek = dek;
    this.#stream = streamParameters(dek, header, headerBytes, this.salt, random(NONCE_PREFIX_BYTES));
    this.#left = plainLength;
    this.#segmentLeft = plainBytesOf(this.#stream, 0);
    this.#cipher = this.#newCipher();
  }

  /** The first 104 bytes: part header and stream header. Give them before anything pushed. */
  header(): Uint8Array {
    return concatBytes(this.#stream.headerBytes, encodeStreamHeader(this.salt, this.#stream.noncePrefix));
  }

  /** Seals the next plaintext, of any length. Errors: ERR_ENVELOPE_LENGTH (more than declared). */
  push(chunk: Uint8Array): Uint8Array[] {
    if (this.#finished) throw new TypeError('the body is finished');
    if (chunk.length > this.#left) throw new EnvelopeError('ERR_ENVELOPE_LENGTH', 'longer than declared');
    const sealed: Uint8Array[] = [];
    for (let at = 0; at < chunk.length;) {
      if (this.#segmentLeft === 0) this.#nextSegment(sealed);
      const take = Math.min(this.#segmentLeft, chunk.length - at);
      sealed.push(this.#cipher.update(chunk.subarray(at, at + take)));
      this.#segmentLeft -= take;
      this.#left -= take;
      at += take;
    }
    return sealed;
  }

  /**
   * The withheld tail: last tag, record, padding. Call it only when everything known of the plaintext has verified.
   * `footer` (FOOTER_BLOCK_BYTES, from `encodeFooter`) goes with a final part, and with nothing else. Errors: ERR_ENVELOPE_LENGTH.
   */
  finish(record: BodyRecord, footer?: Uint8Array): Uint8Array[] {
    if (this.#finished) throw new TypeError('the body is finished');
    if (this.#left !== 0) throw new EnvelopeError('ERR_ENVELOPE_LENGTH', 'shorter than declared');
    this.#finished = true;
    const { header, headerBytes, salt } = this.#stream;
    const place = {
      dek: this.#dek,
      objectId: header.objectId,
      salt,
      header: headerBytes,
      plainLength: header.plainLength,
    };
    const tail = [this.#closeSegment(), sealRecord(record, place)];
    const padding = paddingOf(header);
    if (header.layout === 'part' && header.final) {
      if (footer === undefined) throw new TypeError('a final part ends in the footer block');
      assertLength(footer, FOOTER_BLOCK_BYTES, 'a footer block');
      return [...tail, new Uint8Array(padding - FOOTER_BLOCK_BYTES), footer];
    }
    if (footer !== undefined) throw new TypeError('only a final part carries the footer block');
    return padding === 0 ? tail : [...tail, new Uint8Array(padding)];
  }

  #nextSegment(sealed: Uint8Array[]): void {
    sealed.push(this.#closeSegment());
    this.#segment += 1;
    this.#segmentLeft = plainBytesOf(this.#stream, this.#segment);
    this.#cipher = this.#newCipher();
  }

  #closeSegment(): Uint8Array {
    this.#cipher.final();
    return this.#cipher.getAuthTag();
  }

  #newCipher(): CipherGCM {
    return createCipheriv('aes-256-gcm', this.#stream.key, segmentNonce(this.#stream, this.#segment));
  }
}
