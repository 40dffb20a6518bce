/** Encapsulate: a new secret, and what the owner of an ML-KEM key recovers it from. */
import { defineAction } from '../action.ts';
import { required, struct } from '../shapes/shapes.ts';
import { DRY_RUN, ENCAPSULATION_ALGORITHM, GRANT_TOKENS, KEY_ID } from './inputs.ts';

const input = struct({
  KeyId: required(KEY_ID),
  EncapsulationAlgorithm: required(ENCAPSULATION_ALGORITHM),
  GrantTokens: GRANT_TOKENS,
  DryRun: DRY_RUN,
});

export const encapsulate = defineAction('Encapsulate', input, async (request, { keys, use }) => {
  const { KeyId: keyId, EncapsulationAlgorithm, DryRun: dryRun } = request;
  const { keyArn, secret, ciphertext } = await keys.pairs.encapsulate({ keyId, dryRun }, use);
  return { KeyId: keyArn, SharedSecret: secret, SharedSecretCiphertextBlob: ciphertext, EncapsulationAlgorithm };
});
