/** GenerateDataKeyPair: a key pair for use outside, its private half in plaintext and encrypted. */
import { defineAction } from '../action.ts';
import { required, struct } from '../shapes/shapes.ts';
import { DATA_KEY_PAIR_SPEC, pairSpecAsked } from './data-key-pair-spec.ts';
import { DRY_RUN, ENCRYPTION_CONTEXT, GRANT_TOKENS, KEY_ID, RECIPIENT_INFO, refuseRecipient } from './inputs.ts';

const input = struct({
  EncryptionContext: ENCRYPTION_CONTEXT,
  KeyId: required(KEY_ID),
  KeyPairSpec: required(DATA_KEY_PAIR_SPEC),
  GrantTokens: GRANT_TOKENS,
  Recipient: RECIPIENT_INFO,
  DryRun: DRY_RUN,
});

export const generateDataKeyPair = defineAction('GenerateDataKeyPair', input, async (request, { keys, use }) => {
  refuseRecipient(request.Recipient);
  const { KeyId: keyId, EncryptionContext: context = {}, DryRun: dryRun } = request;
  const spec = pairSpecAsked(request.KeyPairSpec);
  const made = await keys.operations.generateDataKeyPair({ keyId, spec, context, dryRun }, use);
  return {
    PrivateKeyCiphertextBlob: made.ciphertext,
    PrivateKeyPlaintext: made.privateKey,
    PublicKey: made.publicKey,
    KeyId: made.keyArn,
    KeyPairSpec: spec,
    KeyMaterialId: made.materialId,
  };
});
