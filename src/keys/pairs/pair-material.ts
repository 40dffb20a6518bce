/** The materials of keys that are pairs: made off the event loop, tried by what the key is for. */
import { CryptoError } from '../../crypto/errors.ts';
import { encodePrivateKey, type KeyPair } from '../../crypto/pairs/key-pair.ts';
import { isConsistent, type PairPurpose } from '../../crypto/pairs/pair-check.ts';
import type { PairCrypto } from '../../crypto/pairs/pair-crypto.ts';
import { algorithmsOf, kindOf, type KeySpec, type KeyUsage } from '../key-kinds.ts';
import { signingAlgorithm } from './signing-algorithms.ts';

type Kind = { readonly spec: KeySpec; readonly usage: KeyUsage };

export const isPairSpec = (spec: KeySpec): boolean => kindOf(spec).material.type === 'pair';

/** A new private key's material, which the caller zeroes. ERR_CRYPTO_SELF_TEST. */
export async function newPairMaterial(kind: Kind, pairs: PairCrypto): Promise<Uint8Array> {
  return encodePrivateKey(await newPair(kind, pairs));
}

/** Tried by what it is for. ERR_CRYPTO_SELF_TEST. */
export async function newPair(kind: Kind, pairs: PairCrypto): Promise<KeyPair> {
  const { material } = kindOf(kind.spec);
  if (material.type !== 'pair') throw new TypeError(`${kind.spec} is no pair`);
  const pair = await pairs.generate(material.pair);
  await assertConsistent(kind, pair, pairs);
  return pair;
}

/** That the halves belong together; ERR_CRYPTO_SELF_TEST. */
export async function assertConsistent(kind: Kind, pair: KeyPair, pairs: PairCrypto): Promise<void> {
  if (await isConsistentFor(kind, pair, pairs)) return;
  throw new CryptoError('ERR_CRYPTO_SELF_TEST', `pair-wise consistency of ${kind.spec}`);
}

/** Of a pair that others made. */
export function isConsistentFor(kind: Kind, pair: KeyPair, pairs: PairCrypto): Promise<boolean> {
  return isConsistent(pair, purposeOf(kind), pairs);
}

function purposeOf({ spec, usage }: Kind): PairPurpose {
  if (usage === 'ENCRYPT_DECRYPT') return { type: 'encrypt' };
  if (usage === 'ENCAPSULATE_DECAPSULATE') return { type: 'encapsulate' };
  const { material } = kindOf(spec);
  if (usage === 'KEY_AGREEMENT' && material.type === 'pair' && material.pair.type === 'ec')
    return { type: 'agree', curve: material.pair.curve };
  for (const name of algorithmsOf(spec, usage).signing ?? []) {
    const { message } = signingAlgorithm(name);
    if (message !== undefined) return { type: 'sign', scheme: message };
  }
  throw new TypeError(`${spec} is not for ${usage}`);
}
