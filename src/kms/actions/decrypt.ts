/** Decrypt: what Encrypt or GenerateDataKey made, by the key that its ciphertext names or the request does. */
import { defineAction } from '../action.ts';
import { optional, struct } from '../shapes/shapes.ts';
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
  RECIPIENT_INFO,
  refuseRecipient,
} from './inputs.ts';

const input = struct({
  CiphertextBlob: optional(CIPHERTEXT),
  EncryptionContext: ENCRYPTION_CONTEXT,
  GrantTokens: GRANT_TOKENS,
  KeyId: optional(KEY_ID),
  EncryptionAlgorithm: optional(ENCRYPTION_ALGORITHM),
  Recipient: RECIPIENT_INFO,
  DryRun: DRY_RUN,
  DryRunModifiers: DRY_RUN_MODIFIERS,
});

export const decrypt = defineAction('Decrypt', input, async (request, { keys, use }) => {
  const { KeyId: keyId, EncryptionContext: context = {}, DryRun: dryRun } = request;
  const ciphertext = ciphertextAsked(request);
  refuseRecipient(request.Recipient);
  const algorithm = encryptionAlgorithmAsked(request.EncryptionAlgorithm);
  const opened = await keys.operations.decrypt({ ciphertext, keyId, context, algorithm, dryRun }, use);
  return {
    KeyId: opened.keyArn,
    Plaintext: opened.plaintext,
    EncryptionAlgorithm: algorithm,
    KeyMaterialId: opened.materialId,
  };
});
