/** GenerateRandom: random bytes. */
import { defineAction } from '../action.ts';
import { NUMBER_OF_BYTES } from '../data-key-length.ts';
import { KmsError } from '../errors.ts';
import { optional, string, struct } from '../shapes/shapes.ts';
import { invalid, RECIPIENT_INFO, refuseRecipient } from './inputs.ts';

const input = struct({
  NumberOfBytes: optional(NUMBER_OF_BYTES),
  CustomKeyStoreId: optional(string({ min: 1, max: 64 })),
  Recipient: RECIPIENT_INFO,
});

export const generateRandom = defineAction('GenerateRandom', input, async (request, { keys, use }) => {
  const { NumberOfBytes: bytes, CustomKeyStoreId: store } = request;
  if (bytes === undefined) throw invalid('NumberOfBytes is required.');
  if (store !== undefined) throw new KmsError('ERR_KMS_UNSUPPORTED', 'Custom key stores are not supported.');
  refuseRecipient(request.Recipient);
  return { Plaintext: await keys.operations.generateRandom(bytes, use) };
});
