/** ScheduleKeyDeletion: the key does nothing from now on, and is destroyed after 7 to 30 days unless that is cancelled. */
import { defineAction } from '../action.ts';
import { integer, optional, required, struct } from '../shapes/shapes.ts';
import { KEY_STATES } from '../key-metadata.ts';
import { KEY_ID } from './inputs.ts';

const DEFAULT_DAYS = 30;

/** The model says 1 to 365; the service takes 7 to 30. */
const input = struct({ KeyId: required(KEY_ID), PendingWindowInDays: optional(integer(7, 30)) });

export const scheduleKeyDeletion = defineAction('ScheduleKeyDeletion', input, async (request, { keys, use }) => {
  const { KeyId: keyId, PendingWindowInDays: days = DEFAULT_DAYS } = request;
  const { arn, state, deletionDate } = await keys.lifecycle.scheduleDeletion({ keyId, days }, use);
  return {
    KeyId: arn,
    DeletionDate: deletionDate === undefined ? undefined : new Date(deletionDate),
    KeyState: KEY_STATES[state],
    PendingWindowInDays: days,
  };
});
