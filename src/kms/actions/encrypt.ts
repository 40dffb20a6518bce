/** Encrypt: up to 4096 bytes under a symmetric key, some hundred under RSA. */
import { defineAction } from '../action.ts';
import { optional, required, struct } from '../shapes/shapes.ts';
import {
  DRY_RUN,
  ENCRYPTION_ALGORITHM,
  ENCRYPTION_CONTEXT,
  encryptionAlgorithmAsked,
  GRANT_TOKENS,
  KEY_ID,
  PLAINTEXT,
} from './inputs.ts';

const input = struct({
  KeyId: required(KEY_ID),
  Plaintext: required(PLAINTEXT),
  EncryptionContext: ENCRYPTION_CONTEXT,
  GrantTokens: GRANT_TOKENS,
  EncryptionAlgorithm: optional(ENCRYPTION_ALGORITHM),
  DryRun: DRY_RUN,
});

export const encrypt = defineAction('Encrypt', input, async (request, { keys, use }) => {
  const algorithm = encryptionAlgorithmAsked(request.EncryptionAlgorithm);
  const { KeyId: keyId, Plaintext: plaintext, EncryptionContext: context = {}, DryRun: dryRun } = request;
  const { ciphertext, keyArn } = await keys.operations.encrypt({ keyId, plaintext, context, algorithm, dryRun }, use);
  return { CiphertextBlob: ciphertext, KeyId: keyArn, EncryptionAlgorithm: algorithm };
});
