/** GetPublicKey: the public half of a key pair. */
import { defineAction } from '../action.ts';
import { keyAlgorithms } from '../key-algorithms.ts';
import { required, struct } from '../shapes/shapes.ts';
import { GRANT_TOKENS, KEY_ID } from './inputs.ts';

const input = struct({ KeyId: required(KEY_ID), GrantTokens: GRANT_TOKENS });

export const getPublicKey = defineAction('GetPublicKey', input, async (request, { keys, use }) => {
  const { keyArn, publicKey, spec, usage } = await keys.pairs.publicKey(request.KeyId, use);
  return { KeyId: keyArn, PublicKey: publicKey, ...keyAlgorithms(spec, usage) };
});
