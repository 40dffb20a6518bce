/** GenerateDataKey: a fresh data key, in plaintext and encrypted under a key. */
import { defineAction } from '../action.ts';
import { dataKeyBytes, DATA_KEY_SPEC, NUMBER_OF_BYTES } from '../data-key-length.ts';
import { optional, required, struct } from '../shapes/shapes.ts';
import { DRY_RUN, ENCRYPTION_CONTEXT, GRANT_TOKENS, KEY_ID, RECIPIENT_INFO, refuseRecipient } from './inputs.ts';

const input = struct({
  KeyId: required(KEY_ID),
  EncryptionContext: ENCRYPTION_CONTEXT,
  NumberOfBytes: optional(NUMBER_OF_BYTES),
  KeySpec: optional(DATA_KEY_SPEC),
  GrantTokens: GRANT_TOKENS,
  Recipient: RECIPIENT_INFO,
  DryRun: DRY_RUN,
});

export const generateDataKey = defineAction('GenerateDataKey', input, async (request, { keys, use }) => {
  const { KeyId: keyId, EncryptionContext: context = {}, DryRun: dryRun } = request;
  const bytes = dataKeyBytes(request);
  refuseRecipient(request.Recipient);
  const made = await keys.operations.generateDataKey({ keyId, bytes, context, dryRun }, use);
  return {
    CiphertextBlob: made.ciphertext,
    Plaintext: made.plaintext,
    KeyId: made.keyArn,
    KeyMaterialId: made.materialId,
  };
});
