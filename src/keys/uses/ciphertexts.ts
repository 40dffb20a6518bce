/** Wrapped keys as they come back: which key and material they name, and what is in them. */
import { encodeContext, type CanonicalContext, type EncryptionContext } from '../../envelope/encryption-context.ts';
import { EnvelopeError } from '../../envelope/errors.ts';
import {
  nameSameMaterial,
  parseWrappedKey,
  unwrapKey,
  WRAPPED_KEY_FLAGS,
  WRAPPED_KEY_OVERHEAD,
  type ParsedWrappedKey,
} from '../../envelope/wrapped-key.ts';
import { bytesToKeyId } from '../arn.ts';
import { KeysError } from '../errors.ts';
import { kekOf, type HeldKey, type HeldMaterial, type KeyRing } from '../key-ring.ts';

export type Source = { readonly key: HeldKey; readonly material: HeldMaterial };

/** AWS's words, which do not say which of the three it is. */
export const NOT_TO_BE_HAD =
  'The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.';

/** The key that a ciphertext names, or any of its related ones, and the reference to its material, in hex. */
export type NamedMaterial = { readonly keyId: string; readonly materialRef: string };

/** The key and material that a ciphertext names; undefined: none here. Errors: ERR_KEYS_CIPHERTEXT_INVALID, ERR_KEYS_CIPHERTEXT_FOREIGN. */
export function findSource(ciphertext: Uint8Array, ring: KeyRing, names: NamesInCiphertexts): Source | undefined {
  if (isOfAws(ciphertext))
    throw new KeysError(
      'ERR_KEYS_CIPHERTEXT_FOREIGN',
      'This ciphertext is of AWS KMS itself, whose keys are not here.',
    );
  const { keyId, materialRef } = names.of(ciphertext);
  const key = ring.held(keyId);
  if (key === undefined) return undefined;
  const material = key.materials.get(materialRef);
  if (material === undefined) throw invalidCiphertext();
  return { key, material };
}

/** Of those that were looked at last; a caller's data keys are mostly of few keys, and making texts of bytes costs half as much as a MAC. */
const MAX_NAMES = 8;

export class NamesInCiphertexts {
  readonly #known: { readonly start: Uint8Array; readonly named: NamedMaterial }[] = [];
  #oldest = 0;

  /** ERR_KEYS_CIPHERTEXT_INVALID. */
  of(ciphertext: Uint8Array): NamedMaterial {
    const parsed = parseCiphertext(ciphertext);
    for (const { start, named } of this.#known) if (nameSameMaterial(start, ciphertext)) return named;
    const named = namedIn(parsed);
    this.#known[this.#oldest] = { start: ciphertext.slice(0, WRAPPED_KEY_OVERHEAD), named };
    this.#oldest = (this.#oldest + 1) % MAX_NAMES;
    return named;
  }
}

function namedIn({ flags, keyUuid, materialRef }: ParsedWrappedKey): NamedMaterial {
  const isMultiRegion = (flags & WRAPPED_KEY_FLAGS.multiRegion) !== 0;
  return { keyId: bytesToKeyId(keyUuid, isMultiRegion), materialRef: Buffer.from(materialRef).toString('hex') };
}

/** The caller zeroes the bytes; one code for whatever is wrong: ERR_KEYS_CIPHERTEXT_INVALID. */
export function openWrapped(source: Source, blob: Uint8Array, context: CanonicalContext): Uint8Array {
  const { material } = source;
  const kek = kekOf(material);
  try {
    return unwrapKey({ kek, materialId: material.record.materialId, blob, context });
  } catch (cause) {
    throw cause instanceof EnvelopeError ? invalidCiphertext() : cause;
  }
}

/** What a use binds to, once for all that it needs it for; ERR_KEYS_INVALID_REQUEST. */
export function canonicalContext(context: EncryptionContext): CanonicalContext {
  try {
    return encodeContext(context);
  } catch (cause) {
    if (!(cause instanceof EnvelopeError)) throw cause;
    throw new KeysError('ERR_KEYS_INVALID_REQUEST', 'the encryption context is too large or not well-formed text', {
      cause,
    });
  }
}

/** ERR_KEYS_CIPHERTEXT_INVALID. */
export function parseCiphertext(ciphertext: Uint8Array): ParsedWrappedKey {
  try {
    return parseWrappedKey(ciphertext);
  } catch (cause) {
    throw cause instanceof EnvelopeError ? invalidCiphertext() : cause;
  }
}

/** Blobs of AWS KMS begin 01 01 or 01 02 (`AQE…`, `AQI…` in base64), and ours never do. */
function isOfAws(ciphertext: Uint8Array): boolean {
  return ciphertext[0] === 1 && (ciphertext[1] === 1 || ciphertext[1] === 2);
}

export function invalidCiphertext(): KeysError {
  return new KeysError('ERR_KEYS_CIPHERTEXT_INVALID', 'the wrapped key does not open');
}
