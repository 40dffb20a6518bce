/** UpdatePrimaryRegion: another of a multi-Region key's keys becomes the primary one. */
import { defineAction } from '../action.ts';
import { required, struct } from '../shapes/shapes.ts';
import { KEY_ID, REGION } from './inputs.ts';

const input = struct({ KeyId: required(KEY_ID), PrimaryRegion: required(REGION) });

export const updatePrimaryRegion = defineAction('UpdatePrimaryRegion', input, async (request, { keys, use }) => {
  const { KeyId: keyId, PrimaryRegion: primaryRegion } = request;
  await keys.multiRegion.updatePrimaryRegion({ keyId, primaryRegion }, use);
  return undefined;
});
