/** GenerateDataKeyWithoutPlaintext: a fresh data key, encrypted under a key, for whoever may decrypt it later. */
import { defineAction } from '../action.ts';
import { dataKeyBytes, DATA_KEY_SPEC, NUMBER_OF_BYTES } from '../data-key-length.ts';
import { optional, required, struct } from '../shapes/shapes.ts';
import { DRY_RUN, ENCRYPTION_CONTEXT, GRANT_TOKENS, KEY_ID } from './inputs.ts';

const input = struct({
  KeyId: required(KEY_ID),
  EncryptionContext: ENCRYPTION_CONTEXT,
  KeySpec: optional(DATA_KEY_SPEC),
  NumberOfBytes: optional(NUMBER_OF_BYTES),
  GrantTokens: GRANT_TOKENS,
  DryRun: DRY_RUN,
});

export const generateDataKeyWithoutPlaintext = defineAction(
  'GenerateDataKeyWithoutPlaintext',
  input,
  async (request, { keys, use }) => {
    const { KeyId: keyId, EncryptionContext: context = {}, DryRun: dryRun } = request;
    const asked = { keyId, bytes: dataKeyBytes(request), context, dryRun };
    const made = await keys.operations.generateDataKeyWithoutPlaintext(asked, use);
    return { CiphertextBlob: made.ciphertext, KeyId: made.keyArn, KeyMaterialId: made.materialId };
  },
);
