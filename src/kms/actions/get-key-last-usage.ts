/** GetKeyLastUsage: what a key was last used for, and from when on that is known. */
import { defineAction } from '../action.ts';
import { required, struct } from '../shapes/shapes.ts';
import { KEY_ID } from './inputs.ts';

const input = struct({ KeyId: required(KEY_ID) });

export const getKeyLastUsage = defineAction('GetKeyLastUsage', input, async (request, { keys, use }) => {
  const { keyId, createdAt, trackedSince, lastUse } = await keys.settings.lastUsage(request.KeyId, use);
  return {
    KeyId: keyId,
    KeyLastUsage:
      lastUse === undefined
        ? {}
        : { Operation: lastUse.operation, Timestamp: new Date(lastUse.at), KmsRequestId: lastUse.requestId },
    TrackingStartDate: new Date(trackedSince),
    KeyCreationDate: new Date(createdAt),
  };
});
