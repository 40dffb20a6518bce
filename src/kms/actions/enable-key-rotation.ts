/** EnableKeyRotation: new material every so many days, the first time so many days from now. */
import { DEFAULT_ROTATION_DAYS } from '../../keys/limits.ts';
import { defineAction } from '../action.ts';
import { integer, optional, required, struct } from '../shapes/shapes.ts';
import { KEY_ID } from './inputs.ts';

const input = struct({ KeyId: required(KEY_ID), RotationPeriodInDays: optional(integer(90, 2560)) });

export const enableKeyRotation = defineAction('EnableKeyRotation', input, async (request, { keys, use }) => {
  const { KeyId: keyId, RotationPeriodInDays: periodDays = DEFAULT_ROTATION_DAYS } = request;
  await keys.lifecycle.enableRotation({ keyId, periodDays }, use);
  return undefined;
});
