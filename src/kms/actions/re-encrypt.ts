/** ReEncrypt: opens a ciphertext and encrypts what was in it anew; the plaintext does not leave the key manager. */
import { defineAction } from '../action.ts';
import { optional, required, struct } from '../shapes/shapes.ts';
import {
  CIPHERTEXT,
  ciphertextAsked,
  DRY_RUN,
  DRY_RUN_MODIFIERS,
  ENCRYPTION_ALGORITHM,
  ENCRYPTION_CONTEXT,
  encryptionAlgorithmAsked,
  GRANT_TOKENS,
  KEY_ID,
} from './inputs.ts';

const input = struct({
  CiphertextBlob: optional(CIPHERTEXT),
  SourceEncryptionContext: ENCRYPTION_CONTEXT,
  SourceKeyId: optional(KEY_ID),
  DestinationKeyId: required(KEY_ID),
  DestinationEncryptionContext: ENCRYPTION_CONTEXT,
  SourceEncryptionAlgorithm: optional(ENCRYPTION_ALGORITHM),
  DestinationEncryptionAlgorithm: optional(ENCRYPTION_ALGORITHM),
  GrantTokens: GRANT_TOKENS,
  DryRun: DRY_RUN,
  DryRunModifiers: DRY_RUN_MODIFIERS,
});

export const reEncrypt = defineAction('ReEncrypt', input, async (request, { keys, use }) => {
  const {
    SourceKeyId: keyId,
    DryRun: dryRun,
    SourceEncryptionContext = {},
    DestinationEncryptionContext = {},
  } = request;
  const ciphertext = ciphertextAsked({ ...request, KeyId: keyId });
  const from = encryptionAlgorithmAsked(request.SourceEncryptionAlgorithm);
  const to = encryptionAlgorithmAsked(request.DestinationEncryptionAlgorithm);
  const source = { ciphertext, keyId, context: SourceEncryptionContext, algorithm: from };
  const destination = { keyId: request.DestinationKeyId, context: DestinationEncryptionContext, algorithm: to };
  const moved = await keys.operations.reEncrypt({ source, destination, dryRun }, use);
  return {
    CiphertextBlob: moved.ciphertext,
    SourceKeyId: moved.source.keyArn,
    KeyId: moved.destination.keyArn,
    SourceEncryptionAlgorithm: from,
    DestinationEncryptionAlgorithm: to,
    SourceKeyMaterialId: moved.source.materialId,
    DestinationKeyMaterialId: moved.destination.materialId,
  };
});
