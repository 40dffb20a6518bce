/**
 * Import tokens: the private half of a wrapping key, sealed under a key that the root gives, and given to the importer to keep. So nothing
 * is stored for an import that may never come, and any process of this store takes it, also after a restart. Bound to the key, the
 * algorithm and the time it is valid for (docs/KEYSTORE.md, "Import tokens").
 */
import { concatBytes } from '../../crypto/bytes.ts';
import { encodePrivateKey, openPair, type KeyPair } from '../../crypto/pairs/key-pair.ts';
import type { RandomSource } from '../../crypto/random.ts';
import { KeysError } from '../errors.ts';
import { encodeFields, uint64 } from '../fields.ts';
import type { RowRegion } from '../regions/row-names.ts';
import { openBox, sealBox } from '../sealed-box.ts';
import type { ServiceKeys } from '../service-keys.ts';
import type { WrappingAlgorithm, WrappingKeySpec } from './wrapping.ts';
import { WRAPPING_KEY_BITS } from './wrapping.ts';

export type TokenFacts = {
  readonly algorithm: WrappingAlgorithm;
  readonly wrappingSpec: WrappingKeySpec;
  /** Milliseconds since 1970. */
  readonly validTo: number;
};

/** `uuid`: 16 bytes, which related keys of several regions share. */
export type TokenKey = { readonly uuid: Uint8Array; readonly region: RowRegion };

const PURPOSE = 'import-token';
/** "SGIT", version 1. */
const PREFIX = Uint8Array.of(0x53, 0x47, 0x49, 0x54, 1);
const ALGORITHMS = [
  'RSAES_OAEP_SHA_1',
  'RSAES_OAEP_SHA_256',
  'RSA_AES_KEY_WRAP_SHA_1',
  'RSA_AES_KEY_WRAP_SHA_256',
] as const satisfies readonly WrappingAlgorithm[];
const SPECS = ['RSA_2048', 'RSA_3072', 'RSA_4096'] as const satisfies readonly WrappingKeySpec[];
const EPOCH_AT = 8;
const VALID_TO_AT = 16;
const HEADER_BYTES = 24;

export function sealToken(
  facts: TokenFacts,
  ofKey: TokenKey,
  pair: KeyPair,
  service: ServiceKeys,
  random: RandomSource,
): Uint8Array {
  const { epoch, key } = service.get(PURPOSE);
  const codes = Uint8Array.of(1 + ALGORITHMS.indexOf(facts.algorithm), 1 + SPECS.indexOf(facts.wrappingSpec), 0);
  const header = concatBytes(PREFIX, codes, uint64(epoch), uint64(facts.validTo));
  const privateKey = encodePrivateKey(pair);
  try {
    return concatBytes(header, sealBox(key, tokenAad(header, ofKey), privateKey, random));
  } finally {
    privateKey.fill(0);
  }
}

/** Genuine, of this key and not expired. Errors: ERR_KEYS_IMPORT_TOKEN, ERR_KEYS_IMPORT_TOKEN_EXPIRED. */
export function openToken(
  token: Uint8Array,
  ofKey: TokenKey,
  service: ServiceKeys,
  now: number,
): TokenFacts & { readonly pair: KeyPair } {
  const header = token.subarray(0, HEADER_BYTES);
  const facts = parseHeader(header);
  if (facts === undefined) throw notValid();
  const privateKey = openBox(epochKey(service, facts.epoch), tokenAad(header, ofKey), token.subarray(HEADER_BYTES));
  if (privateKey === undefined) throw notValid();
  try {
    const pair = openPair({ type: 'rsa', bits: WRAPPING_KEY_BITS[facts.wrappingSpec] }, privateKey);
    if (pair === undefined) throw notValid();
    if (now < facts.validTo) return { ...facts, pair };
    throw new KeysError('ERR_KEYS_IMPORT_TOKEN_EXPIRED', 'The import token has expired.');
  } finally {
    privateKey.fill(0);
  }
}

/** As yet unauthenticated. */
function parseHeader(header: Uint8Array): (TokenFacts & { readonly epoch: number }) | undefined {
  if (header.length < HEADER_BYTES) return undefined;
  const bytes = Buffer.from(header.buffer, header.byteOffset, header.length);
  const algorithm = ALGORITHMS[bytes.readUInt8(PREFIX.length) - 1];
  const wrappingSpec = SPECS[bytes.readUInt8(PREFIX.length + 1) - 1];
  const isOurs = bytes.subarray(0, PREFIX.length).equals(PREFIX) && bytes.readUInt8(PREFIX.length + 2) === 0;
  if (!isOurs || algorithm === undefined || wrappingSpec === undefined) return undefined;
  const epoch = Number(bytes.readBigUInt64BE(EPOCH_AT));
  return { algorithm, wrappingSpec, epoch, validTo: Number(bytes.readBigUInt64BE(VALID_TO_AT)) };
}

function epochKey(service: ServiceKeys, epoch: number): ReturnType<ServiceKeys['get']>['key'] {
  try {
    return service.get(PURPOSE, epoch).key;
  } catch (cause) {
    if (cause instanceof KeysError) throw notValid();
    throw cause;
  }
}

const tokenAad = (header: Uint8Array, { uuid, region }: TokenKey): Uint8Array =>
  encodeFields('sealgate import token v1', [header, uuid, ...(region === undefined ? [] : [region])]);

function notValid(): KeysError {
  return new KeysError(
    'ERR_KEYS_IMPORT_TOKEN',
    'The import token is not valid, or is associated with another KMS key.',
  );
}
