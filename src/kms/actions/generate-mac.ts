/** GenerateMac: the MAC of a message of up to 4096 bytes. */
import { defineAction } from '../action.ts';
import { required, struct } from '../shapes/shapes.ts';
import { DRY_RUN, GRANT_TOKENS, KEY_ID, MAC_ALGORITHM, MESSAGE } from './inputs.ts';

const input = struct({
  Message: required(MESSAGE),
  KeyId: required(KEY_ID),
  MacAlgorithm: required(MAC_ALGORITHM),
  GrantTokens: GRANT_TOKENS,
  DryRun: DRY_RUN,
});

export const generateMac = defineAction('GenerateMac', input, async (request, { keys, use }) => {
  const { KeyId: keyId, Message: message, MacAlgorithm: algorithm, DryRun: dryRun } = request;
  const { mac, keyArn } = await keys.macs.generate({ keyId, message, algorithm, dryRun }, use);
  return { Mac: mac, MacAlgorithm: algorithm, KeyId: keyArn };
});
