/** DescribeKey: all that is said of a key, by any of its names. */
import { defineAction } from '../action.ts';
import { keyMetadata } from '../key-metadata.ts';
import { required, struct } from '../shapes/shapes.ts';
import { GRANT_TOKENS, KEY_ID } from './inputs.ts';

const input = struct({ KeyId: required(KEY_ID), GrantTokens: GRANT_TOKENS });

export const describeKey = defineAction('DescribeKey', input, async ({ KeyId: keyId }, { keys, use, realm }) => ({
  KeyMetadata: keyMetadata(await keys.describeKey(keyId, use), realm),
}));
