/** What is imported, as bytes: whether it is a key of the kind it is to be, in the one form in which its id is computed. */
import { encodeEcPrivateKey } from '../../crypto/pairs/ec-private-key.ts';
import { encodePrivateKey, openPair, type KeyPair, type PairKind } from '../../crypto/pairs/key-pair.ts';
import type { PairCrypto } from '../../crypto/pairs/pair-crypto.ts';
import { SealgateError } from '../../errors.ts';
import { KeysError } from '../errors.ts';
import { kindOf } from '../key-kinds.ts';
import { isConsistentFor } from '../pairs/pair-material.ts';
import type { KeyRecord } from '../records.ts';

/**
 * The material, which the caller zeroes: a copy. Of a private key (PKCS #8) the one form of docs/KEYSTORE.md, so that the same key in
 * another encoding is the same material; tried by what it is for. ERR_KEYS_INCORRECT_MATERIAL.
 */
export async function checkedMaterial(
  kind: Pick<KeyRecord, 'spec' | 'usage'>,
  given: Uint8Array,
  pairs: PairCrypto,
): Promise<Uint8Array> {
  const { material } = kindOf(kind.spec);
  if (material.type === 'random') {
    if (given.length === material.bytes) return Uint8Array.from(given);
    throw incorrect(`The key material of ${kind.spec} is ${material.bytes} bytes long.`);
  }
  const { pair: wanted } = material;
  const pair = openPair(wanted, given);
  if (pair === undefined) throw incorrect(`The key material is no private key of ${kind.spec} in PKCS #8.`);
  const encoded = (await works(kind, pair, pairs)) ? encoding(wanted, pair) : undefined;
  if (encoded !== undefined) return encoded;
  throw incorrect(`The key material is no working private key of ${kind.spec}.`);
}

/** OpenSSL refuses some of what is no key by an error. */
async function works(kind: Pick<KeyRecord, 'spec' | 'usage'>, pair: KeyPair, pairs: PairCrypto): Promise<boolean> {
  try {
    return await isConsistentFor(kind, pair, pairs);
  } catch (cause) {
    if (cause instanceof SealgateError) throw cause;
    return false;
  }
}

/** Undefined: it has none, as an ML-DSA key without its seed. */
function encoding(kind: PairKind, pair: KeyPair): Uint8Array | undefined {
  try {
    return kind.type === 'ec' ? encodeEcPrivateKey(kind.curve, pair.privateKey) : encodePrivateKey(pair);
  } catch {
    return undefined;
  }
}

export function incorrect(message: string): KeysError {
  return new KeysError('ERR_KEYS_INCORRECT_MATERIAL', message);
}
