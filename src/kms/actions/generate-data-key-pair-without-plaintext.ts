/** GenerateDataKeyPairWithoutPlaintext: a key pair for use outside, its private half encrypted alone. */
import { defineAction } from '../action.ts';
import { required, struct } from '../shapes/shapes.ts';
import { DATA_KEY_PAIR_SPEC, pairSpecAsked } from './data-key-pair-spec.ts';
import { DRY_RUN, ENCRYPTION_CONTEXT, GRANT_TOKENS, KEY_ID } from './inputs.ts';

const input = struct({
  EncryptionContext: ENCRYPTION_CONTEXT,
  KeyId: required(KEY_ID),
  KeyPairSpec: required(DATA_KEY_PAIR_SPEC),
  GrantTokens: GRANT_TOKENS,
  DryRun: DRY_RUN,
});

export const generateDataKeyPairWithoutPlaintext = defineAction(
  'GenerateDataKeyPairWithoutPlaintext',
  input,
  async (request, { keys, use }) => {
    const { KeyId: keyId, EncryptionContext: context = {}, DryRun: dryRun } = request;
    const spec = pairSpecAsked(request.KeyPairSpec);
    const asked = { keyId, spec, context, dryRun };
    const made = await keys.operations.generateDataKeyPairWithoutPlaintext(asked, use);
    return {
      PrivateKeyCiphertextBlob: made.ciphertext,
      PublicKey: made.publicKey,
      KeyId: made.keyArn,
      KeyPairSpec: spec,
      KeyMaterialId: made.materialId,
    };
  },
);
