/**
 * Subkeys of an object's DEK. A DEK is never used itself: each use has a key of its own, derived by HKDF-SHA-256 with a label, so
 * that nothing sealed or MAC'd for one purpose means anything for another.
 */
import { openAesGcm, sealAesGcm, GCM_NONCE_BYTES } from '../../crypto/aes-gcm.ts';
import { concatBytes } from '../../crypto/bytes.ts';
import { hkdfSha256 } from '../../crypto/hkdf.ts';
import { KEY_BYTES, takeKey, type Dek } from '../../crypto/key-types.ts';

export const OBJECT_ID_BYTES = 16;
export const SALT_BYTES = 32;

/** Keys that belong to the object: salt = object id, info = label. */
const OBJECT_LABELS = {
  envelope: 'sealgate object v1 envelope',
  header: 'sealgate object v1 header',
  stream: 'sealgate object v1 stream',
  metadata: 'sealgate object v1 metadata',
  customerEnvelope: 'sealgate object v2 envelope',
  customerCheck: 'sealgate object v2 check',
} as const;

/** Keys used once: salt = 32 fresh bytes, info = label | object id | what it is bound to. */
const ONCE_LABELS = {
  record: 'sealgate object v1 record',
  footer: 'sealgate object v1 footer',
} as const;

/** The object's key for one purpose. */
export function objectKey(dek: Dek, objectId: Uint8Array, purpose: keyof typeof OBJECT_LABELS): Dek {
  return takeKey('Dek', hkdfSha256(dek, objectId, OBJECT_LABELS[purpose], KEY_BYTES));
}

type Once = {
  readonly dek: Dek;
  readonly objectId: Uint8Array;
  /** Precondition: fresh for each sealing of this purpose; the GCM nonce is zero because the key is used once. */
  readonly salt: Uint8Array;
  readonly purpose: keyof typeof ONCE_LABELS;
  /** Of fixed length for each purpose. */
  readonly binding: Uint8Array;
};

const ZERO_NONCE = new Uint8Array(GCM_NONCE_BYTES);

/** Seals under a key used for this alone. */
export function sealOnce(once: Once, plaintext: Uint8Array): Uint8Array {
  return withOnceKey(once, (key) => sealAesGcm(key, ZERO_NONCE, plaintext));
}

/** Opens what `sealOnce` made. Errors: ERR_CRYPTO_OPEN_FAILED. */
export function openOnce(once: Once, sealed: Uint8Array): Uint8Array {
  return withOnceKey(once, (key) => openAesGcm(key, ZERO_NONCE, sealed));
}

function withOnceKey(once: Once, use: (key: Uint8Array) => Uint8Array): Uint8Array {
  const info = concatBytes(Buffer.from(ONCE_LABELS[once.purpose], 'ascii'), once.objectId, once.binding);
  const key = hkdfSha256(once.dek, once.salt, info, KEY_BYTES);
  try {
    return use(key);
  } finally {
    key.fill(0);
  }
}
