/**
 * Makes a key store with a key pair of each kind for each of its usages. `node test/support/keys/make-pair-keystore.ts <folder>` wrote the
 * files that are kept, frozen, in test/vectors/pair-keystore.
 */
import {
  constants,
  createHash,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  publicEncrypt,
  randomBytes,
} from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { KeyUse } from '../../../src/keys/uses/data-keys.ts';
import { algorithmsOf, type KeySpec, type KeyUsage } from '../../../src/keys/key-kinds.ts';
import { createKeyFile, createKeyStore, openKeyManager, type KeyManager } from '../../../src/keys/key-manager.ts';
import type { KeyManagerOptions, KeyPorts } from '../../../src/keys/options.ts';
import {
  signingAlgorithm,
  type MessageType,
  type SigningAlgorithm,
} from '../../../src/keys/pairs/signing-algorithms.ts';

const USE: KeyUse = { principal: 'arn:aws:iam::000000000000:user/alice', via: 'kms', resource: 'kms' };

const RSA = ['RSA_2048', 'RSA_3072', 'RSA_4096'] as const satisfies readonly KeySpec[];
const NIST = ['ECC_NIST_P256', 'ECC_NIST_P384', 'ECC_NIST_P521'] as const satisfies readonly KeySpec[];
const SIGNING = [
  ...RSA,
  ...NIST,
  'ECC_SECG_P256K1',
  'ECC_NIST_EDWARDS25519',
  'ML_DSA_44',
  'ML_DSA_65',
  'ML_DSA_87',
] as const satisfies readonly KeySpec[];
/** Every kind of pair for every usage. */
export const PAIR_KINDS: readonly (readonly [KeySpec, KeyUsage])[] = [
  ...SIGNING.map((spec) => [spec, 'SIGN_VERIFY'] as const),
  ...RSA.map((spec) => [spec, 'ENCRYPT_DECRYPT'] as const),
  ...NIST.map((spec) => [spec, 'KEY_AGREEMENT'] as const),
];

/** What was done with each key, and has to hold for ever. Bytes in base64. */
export type PairFacts = {
  readonly message: string;
  readonly keys: readonly {
    readonly keyId: string;
    readonly spec: KeySpec;
    readonly usage: KeyUsage;
    readonly publicKey: string;
    readonly signatures?: readonly { readonly algorithm: SigningAlgorithm; readonly signature: string }[];
    /** Made with the public key alone, of the message. */
    readonly ciphertexts?: Readonly<Record<'RSAES_OAEP_SHA_1' | 'RSAES_OAEP_SHA_256', string>>;
    /** A public key that is not in the store, and the secret shared with it. */
    readonly agreement?: { readonly peer: string; readonly secret: string };
  }[];
};
type KeyFacts = PairFacts['keys'][number];

export function pairStoreOptions(folder: string): KeyManagerOptions {
  return {
    storePath: join(folder, 'store.sqlite'),
    unseal: [{ type: 'key-file', path: join(folder, 'root.key') }],
    region: 'eu-central-1',
    account: '000000000000',
    audit: { path: join(folder, 'audit.jsonl'), durability: 'fsync' },
  };
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const message = 'what is signed or encrypted';

/** As it is, or its digest where the algorithm takes no other. */
export function signedForm(
  algorithm: SigningAlgorithm,
  text: string,
): { readonly message: Uint8Array; readonly messageType: MessageType } {
  if (signingAlgorithm(algorithm).message !== undefined) return { message: Buffer.from(text), messageType: 'RAW' };
  return { message: createHash('sha512').update(text).digest(), messageType: 'DIGEST' };
}

async function signed(manager: KeyManager, keyId: string, spec: KeySpec): Promise<Partial<KeyFacts>> {
  const signatures = [];
  for (const algorithm of algorithmsOf(spec, 'SIGN_VERIFY').signing ?? []) {
    const asked = { keyId, algorithm, ...signedForm(algorithm, message) };
    const { signature } = await manager.signatures.sign(asked, USE);
    signatures.push({ algorithm, signature: base64(signature) });
  }
  return { signatures };
}

function encrypted(spki: Uint8Array): Partial<KeyFacts> {
  const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  const seal = (oaepHash: string): string =>
    base64(publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash }, Buffer.from(message)));
  return { ciphertexts: { RSAES_OAEP_SHA_1: seal('sha1'), RSAES_OAEP_SHA_256: seal('sha256') } };
}

function agreed(spki: Uint8Array): Partial<KeyFacts> {
  const publicKey = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  const namedCurve = publicKey.asymmetricKeyDetails?.namedCurve ?? '';
  const peer = generateKeyPairSync('ec', { namedCurve });
  const secret = diffieHellman({ privateKey: peer.privateKey, publicKey });
  const encoded = peer.publicKey.export({ format: 'der', type: 'spki' });
  return { agreement: { peer: base64(encoded), secret: base64(secret) } };
}

/** A store made then, in which each look at the clock takes a second. */
export async function newPairStore(folder: string, madeAt: number): Promise<KeyManager> {
  let clock = madeAt;
  const ports: KeyPorts = { random: (bytes) => new Uint8Array(randomBytes(bytes)), now: () => (clock += 1000) };
  mkdirSync(folder, { recursive: true });
  createKeyFile(join(folder, 'root.key'), ports.random);
  const options = pairStoreOptions(folder);
  await createKeyStore(options, ports);
  return openKeyManager(options, ports);
}

export async function makePairKeyStore(folder: string): Promise<PairFacts> {
  const manager = await newPairStore(folder, Date.UTC(2026, 10, 25, 22));
  const keys: KeyFacts[] = [];
  for (const [spec, usage] of PAIR_KINDS) {
    const { keyId } = await manager.createKey({ spec, usage }, USE);
    const { publicKey } = await manager.pairs.publicKey(keyId, USE);
    const done =
      usage === 'SIGN_VERIFY'
        ? await signed(manager, keyId, spec)
        : usage === 'KEY_AGREEMENT'
          ? agreed(publicKey)
          : encrypted(publicKey);
    keys.push({ keyId, spec, usage, publicKey: base64(publicKey), ...done });
  }
  await manager.close();
  return { message, keys };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = process.argv[2] ?? '';
  const facts = await makePairKeyStore(folder);
  writeFileSync(join(folder, 'facts.json'), `${JSON.stringify(facts, null, 2)}\n`);
}
