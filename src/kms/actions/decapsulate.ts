/** Decapsulate: the secret that was encapsulated for an ML-KEM key; of a ciphertext that was not, a secret that nobody else has. */
import { defineAction } from '../action.ts';
import { required, struct } from '../shapes/shapes.ts';
import { CIPHERTEXT, DRY_RUN, ENCAPSULATION_ALGORITHM, GRANT_TOKENS, KEY_ID } from './inputs.ts';

const input = struct({
  KeyId: required(KEY_ID),
  SharedSecretCiphertextBlob: required(CIPHERTEXT),
  EncapsulationAlgorithm: required(ENCAPSULATION_ALGORITHM),
  GrantTokens: GRANT_TOKENS,
  DryRun: DRY_RUN,
});

export const decapsulate = defineAction('Decapsulate', input, async (request, { keys, use }) => {
  const { KeyId: keyId, SharedSecretCiphertextBlob: ciphertext, EncapsulationAlgorithm, DryRun: dryRun } = request;
  const { keyArn, secret } = await keys.pairs.decapsulate({ keyId, ciphertext, dryRun }, use);
  return { KeyId: keyArn, SharedSecret: secret, EncapsulationAlgorithm };
});
