/** GetKeyRotationStatus: whether, how often and when next a key gets new material by itself. */
import { defineAction } from '../action.ts';
import { required, struct } from '../shapes/shapes.ts';
import { KEY_ID } from './inputs.ts';

const input = struct({ KeyId: required(KEY_ID) });

export const getKeyRotationStatus = defineAction('GetKeyRotationStatus', input, async (request, { keys, use }) => {
  const { keyId, enabled, periodDays, nextAt } = await keys.lifecycle.rotationStatus(request.KeyId, use);
  return {
    KeyRotationEnabled: enabled,
    KeyId: keyId,
    RotationPeriodInDays: periodDays,
    NextRotationDate: nextAt === undefined ? undefined : new Date(nextAt),
  };
});
