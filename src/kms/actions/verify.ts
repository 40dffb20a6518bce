/** Verify: whether a signature is of this message and key; one that is not is an error, as AWS has it. */
import { defineAction } from '../action.ts';
import { blob, required, struct } from '../shapes/shapes.ts';
import { DRY_RUN, GRANT_TOKENS, KEY_ID, MESSAGE } from './inputs.ts';
import { algorithmAsked, MESSAGE_TYPE, SIGNING_ALGORITHM } from './signing-inputs.ts';

const input = struct({
  KeyId: required(KEY_ID),
  Message: required(MESSAGE),
  MessageType: MESSAGE_TYPE,
  Signature: required(blob(1, 6144)),
  SigningAlgorithm: required(SIGNING_ALGORITHM),
  GrantTokens: GRANT_TOKENS,
  DryRun: DRY_RUN,
});

export const verify = defineAction('Verify', input, async (request, { keys, use }) => {
  const { KeyId: keyId, Message: message, MessageType: messageType = 'RAW', Signature: signature } = request;
  const algorithm = algorithmAsked(request.SigningAlgorithm);
  const asked = { keyId, message, messageType, algorithm, signature, dryRun: request.DryRun };
  const { keyArn } = await keys.signatures.verify(asked, use);
  return { KeyId: keyArn, SignatureValid: true, SigningAlgorithm: algorithm };
});
