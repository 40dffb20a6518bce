/** Sign: the signature of a message of up to 4096 bytes, or of a digest. */
import { defineAction } from '../action.ts';
import { required, struct } from '../shapes/shapes.ts';
import { DRY_RUN, GRANT_TOKENS, KEY_ID, MESSAGE } from './inputs.ts';
import { algorithmAsked, MESSAGE_TYPE, SIGNING_ALGORITHM } from './signing-inputs.ts';

const input = struct({
  KeyId: required(KEY_ID),
  Message: required(MESSAGE),
  MessageType: MESSAGE_TYPE,
  GrantTokens: GRANT_TOKENS,
  SigningAlgorithm: required(SIGNING_ALGORITHM),
  DryRun: DRY_RUN,
});

export const sign = defineAction('Sign', input, async (request, { keys, use }) => {
  const { KeyId: keyId, Message: message, MessageType: messageType = 'RAW', DryRun: dryRun } = request;
  const algorithm = algorithmAsked(request.SigningAlgorithm);
  const signed = await keys.signatures.sign({ keyId, message, messageType, algorithm, dryRun }, use);
  return { KeyId: signed.keyArn, Signature: signed.signature, SigningAlgorithm: algorithm };
});
