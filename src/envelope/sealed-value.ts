/**
 * The sealed value: one field of a database row.
 *
 *   magic 4 | version 1 | binding 1 | dek id 16 | nonce 24 | ciphertext | tag 16
 *
 * XAES-256-GCM under a subkey of the DEK. AAD = everything before the nonce, and the column's (or domain's) stable random id: a
 * value pasted into another column does not open. Deterministic mode derives the nonce from all that goes in, so equal values
 * (and only those) have equal bytes.
 */
import { nativeBytes } from '../crypto/bytes.ts';
import { hkdfSha256 } from '../crypto/hkdf.ts';
import { hmacSha256 } from '../crypto/hmac.ts';
import { openKeptHmac } from '../crypto/kept-hmac.ts';
import { KEY_BYTES, takeKey, type Dek } from '../crypto/key-types.ts';
import type { RandomSource } from '../crypto/random.ts';
import { XAES_NONCE_BYTES, XAES_TAG_BYTES, openXaesGcm, sealXaesGcm } from '../crypto/xaes-gcm.ts';
import { unreachable } from '../errors.ts';
import { assertLength } from './codec.ts';
import { EnvelopeError, malformed, opening } from './errors.ts';
import { MAX_VALUE_PLAINTEXT_BYTES } from './limits.ts';

/** F5 "SGV": F5 never occurs in UTF-8, so no text that lands in a bytea column unsealed can begin like this. */
export const SEALED_VALUE_MAGIC: Uint8Array = Uint8Array.of(0xf5, 0x53, 0x47, 0x56);
export const DEK_ID_BYTES = 16;

const VERSION = 1;
/** Tenant and row binding are reserved. */
const BINDING_NONE = 0;
const HEADER_START: Uint8Array = Uint8Array.of(...SEALED_VALUE_MAGIC, VERSION, BINDING_NONE);
const HEADER_BYTES = HEADER_START.length + DEK_ID_BYTES;

/** What a sealed value is longer than its plaintext: 62 bytes. Also the least length of a sealed value. */
export const SEALED_VALUE_OVERHEAD = HEADER_BYTES + XAES_NONCE_BYTES + XAES_TAG_BYTES;

export type SealValueInput = {
  readonly dek: Dek;
  /** 16 bytes: under which the DEK is found again. */
  readonly dekId: Uint8Array;
  /** The stable random id of the column or domain. */
  readonly aad: Uint8Array;
  /** In deterministic mode: the canonical form of the value. */
  readonly plaintext: Uint8Array;
  readonly mode: 'randomized' | 'deterministic';
};

export type ParsedSealedValue = { readonly version: 1; readonly binding: 0; readonly dekId: Uint8Array };

/** Seals one value. Errors: ERR_ENVELOPE_TOO_LARGE (over 1 GiB - 1: rules set smaller limits). */
export function sealValue(input: SealValueInput, random: RandomSource): Uint8Array {
  const { dek, dekId, aad, plaintext, mode } = input;
  assertLength(dekId, DEK_ID_BYTES, 'a DEK id');
  if (plaintext.length > MAX_VALUE_PLAINTEXT_BYTES) {
    throw new EnvelopeError('ERR_ENVELOPE_TOO_LARGE', `a value has at most ${MAX_VALUE_PLAINTEXT_BYTES} bytes`);
  }
  const keys = valueKeys(dek);
  const nonce = mode === 'randomized' ? random(XAES_NONCE_BYTES) : deterministicNonce(mode, keys.nonce, input);
  const authenticated = joined(HEADER_START, dekId, aad);
  const body = sealXaesGcm(keys.seal, nonce, plaintext, authenticated);
  return joined(authenticated.subarray(0, HEADER_BYTES), nonce, body);
}

/** For node:crypto and the wire: nothing secret. */
function joined(first: Uint8Array, second: Uint8Array, third: Uint8Array): Uint8Array {
  const bytes = nativeBytes(first.length + second.length + third.length);
  bytes.set(first);
  bytes.set(second, first.length);
  bytes.set(third, first.length + second.length);
  // A plain view: a Buffer's own methods (slice, toString) mean other things.
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** Reads what a sealed value says of itself, none of it proven. Errors: ERR_ENVELOPE_MALFORMED. */
export function parseSealedValue(sealed: Uint8Array): ParsedSealedValue {
  if (sealed.length < SEALED_VALUE_OVERHEAD) throw malformed();
  // By hand: every value of every row is looked at so.
  for (let at = 0; at < HEADER_START.length; at++) if (sealed[at] !== HEADER_START[at]) throw malformed();
  return { version: VERSION, binding: BINDING_NONE, dekId: sealed.subarray(HEADER_START.length, HEADER_BYTES) };
}

/**
 * Opens one value, of either mode. Precondition: `dek` is the one the value names.
 * Errors: ERR_ENVELOPE_MALFORMED, ERR_ENVELOPE_OPEN_FAILED.
 */
export function openValue(input: {
  readonly dek: Dek;
  readonly aad: Uint8Array;
  readonly sealed: Uint8Array;
}): Uint8Array {
  const { dek, aad, sealed } = input;
  const { dekId } = parseSealedValue(sealed);
  const nonce = sealed.subarray(HEADER_BYTES, HEADER_BYTES + XAES_NONCE_BYTES);
  const body = sealed.subarray(HEADER_BYTES + XAES_NONCE_BYTES);
  return opening(() => openXaesGcm(valueKeys(dek).seal, nonce, body, joined(HEADER_START, dekId, aad)));
}

/** Version and binding as the nonce's input has them: each after its length of one. */
const NONCE_INPUT_START: Uint8Array = Uint8Array.of(0, 0, 0, 1, VERSION, 0, 0, 0, 1, BINDING_NONE);

/** Up to which a value is put beside what its nonce is also made of, for one call instead of two. */
const SHORT_BYTES = 1024;

/** Every field length-prefixed: version, binding, DEK id, AAD and the exact bytes encrypted. */
function deterministicNonce(mode: 'deterministic', key: Dek, input: SealValueInput): Uint8Array {
  if (mode !== 'deterministic') return unreachable(mode);
  const { dekId, aad, plaintext } = input;
  // Written by hand: a lookup by a sealed column does this for every value it looks for.
  const fieldsLength = NONCE_INPUT_START.length + 4 + DEK_ID_BYTES + 4 + aad.length + 4;
  const isShort = plaintext.length <= SHORT_BYTES;
  const fields = nativeBytes(isShort ? fieldsLength + plaintext.length : fieldsLength);
  fields.set(NONCE_INPUT_START);
  const afterId = putField(fields, NONCE_INPUT_START.length, dekId);
  putUint32(fields, putField(fields, afterId, aad), plaintext.length);
  if (!isShort) return hmacSha256(key, fields, plaintext).subarray(0, XAES_NONCE_BYTES);
  fields.set(plaintext, fieldsLength);
  const mac = openKeptHmac(key, fields);
  fields.fill(0, fieldsLength);
  return mac.subarray(0, XAES_NONCE_BYTES);
}

/** A field after its length; the offset after it. */
function putField(target: Uint8Array, at: number, field: Uint8Array): number {
  putUint32(target, at, field.length);
  target.set(field, at + 4);
  return at + 4 + field.length;
}

function putUint32(target: Uint8Array, at: number, value: number): void {
  for (let i = 0; i < 4; i++) target[at + i] = value >>> (24 - 8 * i);
}

type ValueKeys = { readonly seal: Dek; readonly nonce: Dek };

/** The two subkeys of a DEK, derived once and kept exactly as long as the DEK's KeyObject lives. */
const keysByDek = new WeakMap<Dek, ValueKeys>();

function valueKeys(dek: Dek): ValueKeys {
  const known = keysByDek.get(dek);
  if (known !== undefined) return known;
  const derive = (label: string) => takeKey('Dek', hkdfSha256(dek, new Uint8Array(0), label, KEY_BYTES));
  const keys = { seal: derive('sealgate value v1 seal'), nonce: derive('sealgate value v1 nonce') };
  keysByDek.set(dek, keys);
  return keys;
}
