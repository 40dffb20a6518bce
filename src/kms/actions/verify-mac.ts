/** VerifyMac: whether a MAC is of this message and key; one that is not is an error, as AWS has it. */
import { defineAction } from '../action.ts';
import { blob, required, struct } from '../shapes/shapes.ts';
import { DRY_RUN, GRANT_TOKENS, KEY_ID, MAC_ALGORITHM, MESSAGE } from './inputs.ts';

const input = struct({
  Message: required(MESSAGE),
  KeyId: required(KEY_ID),
  MacAlgorithm: required(MAC_ALGORITHM),
  Mac: required(blob(1, 6144)),
  GrantTokens: GRANT_TOKENS,
  DryRun: DRY_RUN,
});

export const verifyMac = defineAction('VerifyMac', input, async (request, { keys, use }) => {
  const { KeyId: keyId, Message: message, MacAlgorithm: algorithm, Mac: mac, DryRun: dryRun } = request;
  const { keyArn } = await keys.macs.verify({ keyId, message, algorithm, mac, dryRun }, use);
  return { KeyId: keyArn, MacValid: true, MacAlgorithm: algorithm };
});
