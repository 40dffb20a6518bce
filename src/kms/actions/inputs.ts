/** Members that several actions have, with AWS's limits (service model of KMS, 2014-11-01). */
import type { EncryptionAlgorithm } from '../../keys/key-kinds.ts';
import type { Tag } from '../../keys/records.ts';
import { KmsError } from '../errors.ts';
import {
  blob,
  boolean,
  list,
  oneOf,
  optional,
  patterned,
  required,
  string,
  struct,
  textMap,
} from '../shapes/shapes.ts';

export const KEY_ID = string({ min: 1, max: 2048 });
export const REGION = patterned(1, 32, String.raw`^([a-z]+-){2,3}\d+$`);
export const ENCRYPTION_CONTEXT = optional(textMap);
/** Read by `defineAction`. */
export const GRANT_TOKENS = optional(list(string({ min: 1, max: 8192 }), { min: 0, max: 10 }));
export const DRY_RUN = optional(boolean);
export const DRY_RUN_MODIFIERS = optional(list(oneOf('IGNORE_CIPHERTEXT')));
export const CIPHERTEXT = blob(1, 6144);
export const PLAINTEXT = blob(1, 4096);
export const MESSAGE = blob(1, 4096);
export const MAC_ALGORITHM = oneOf('HMAC_SHA_224', 'HMAC_SHA_256', 'HMAC_SHA_384', 'HMAC_SHA_512');
export const ENCAPSULATION_ALGORITHM = oneOf('ML_KEM');
export const ENCRYPTION_ALGORITHM = oneOf('SYMMETRIC_DEFAULT', 'RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256', 'SM2PKE');
export const TAGS = list(
  struct({ TagKey: required(string({ min: 1, max: 128 })), TagValue: required(string({ min: 0, max: 256 })) }),
);

export function tagsOf(tags: readonly { readonly TagKey: string; readonly TagValue: string }[]): readonly Tag[] {
  return tags.map(({ TagKey, TagValue }) => ({ key: TagKey, value: TagValue }));
}

/** Printable Latin-1 and line ends; the key manager takes 32 KiB of it. */
export const POLICY = patterned(1, 131_072, String.raw`[\u0009\u000A\u000D\u0020-\u00FF]+`);

const RECIPIENT = struct({
  KeyEncryptionAlgorithm: optional(oneOf('RSAES_OAEP_SHA_256')),
  AttestationDocument: optional(blob(1, 262_144)),
});
/** An attested enclave's document; see `refuseRecipient`. */
export const RECIPIENT_INFO = optional(RECIPIENT);

/** Answering an attestation that was not verified would hand a key to whoever wrote it. ERR_KMS_UNSUPPORTED. */
export function refuseRecipient(recipient: unknown): void {
  if (recipient !== undefined) throw new KmsError('ERR_KMS_UNSUPPORTED', 'Attestation (Recipient) is not supported.');
}

/** No key here is SM2. ERR_KMS_UNSUPPORTED. */
export function encryptionAlgorithmAsked(
  algorithm: EncryptionAlgorithm | 'SM2PKE' = 'SYMMETRIC_DEFAULT',
): EncryptionAlgorithm {
  if (algorithm !== 'SM2PKE') return algorithm;
  throw new KmsError('ERR_KMS_UNSUPPORTED', 'EncryptionAlgorithm SM2PKE is not supported.');
}

/** `IGNORE_CIPHERTEXT` belongs to a dry run that names a key; without it there has to be a ciphertext. ERR_KMS_VALIDATION. */
export function ciphertextAsked(input: {
  readonly CiphertextBlob: Uint8Array | undefined;
  readonly KeyId: string | undefined;
  readonly DryRun: boolean | undefined;
  readonly DryRunModifiers: readonly string[] | undefined;
}): Uint8Array | undefined {
  const { CiphertextBlob, KeyId, DryRun, DryRunModifiers = [] } = input;
  if (DryRunModifiers.length === 0) {
    if (CiphertextBlob !== undefined) return CiphertextBlob;
    throw invalid(
      "1 validation error detected: Value null at 'ciphertextBlob' failed to satisfy constraint: Member must not be null",
    );
  }
  if (DryRun !== true) throw invalid('DryRunModifiers can only be specified when DryRun is true.');
  if (KeyId === undefined) throw invalid('A key ID is required when DryRunModifiers is IGNORE_CIPHERTEXT.');
  return undefined;
}

export function invalid(message: string): KmsError {
  return new KmsError('ERR_KMS_VALIDATION', message);
}
