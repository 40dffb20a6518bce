/** DeriveSharedSecret: the secret that a key pair shares with another's public key, by ECDH. */
import { defineAction } from '../action.ts';
import { blob, oneOf, required, struct } from '../shapes/shapes.ts';
import { DRY_RUN, GRANT_TOKENS, KEY_ID, RECIPIENT_INFO, refuseRecipient } from './inputs.ts';

const input = struct({
  KeyId: required(KEY_ID),
  KeyAgreementAlgorithm: required(oneOf('ECDH')),
  PublicKey: required(blob(1, 8192)),
  GrantTokens: GRANT_TOKENS,
  DryRun: DRY_RUN,
  Recipient: RECIPIENT_INFO,
});

export const deriveSharedSecret = defineAction('DeriveSharedSecret', input, async (request, { keys, use }) => {
  refuseRecipient(request.Recipient);
  const { KeyId: keyId, PublicKey: publicKey, DryRun: dryRun } = request;
  const { keyArn, origin, secret } = await keys.pairs.deriveSharedSecret({ keyId, publicKey, dryRun }, use);
  return { KeyId: keyArn, SharedSecret: secret, KeyAgreementAlgorithm: 'ECDH', KeyOrigin: origin };
});
