/** CreateKey: a new key, enabled at once. */
import { defineAction } from '../action.ts';
import { keyMetadata } from '../key-metadata.ts';
import { creatableKind, KEY_SPECS, KEY_USAGES, LEGACY_KEY_SPECS } from '../key-specs.ts';
import { boolean, oneOf, optional, patterned, string, struct } from '../shapes/shapes.ts';
import { POLICY, TAGS, tagsOf } from './inputs.ts';

const input = struct({
  Policy: optional(POLICY),
  Description: optional(string({ min: 0, max: 8192 })),
  KeyUsage: optional(oneOf(...KEY_USAGES)),
  CustomerMasterKeySpec: optional(oneOf(...LEGACY_KEY_SPECS)),
  KeySpec: optional(oneOf(...KEY_SPECS)),
  Origin: optional(oneOf('AWS_KMS', 'EXTERNAL', 'AWS_CLOUDHSM', 'EXTERNAL_KEY_STORE')),
  CustomKeyStoreId: optional(string({ min: 1, max: 64 })),
  BypassPolicyLockoutSafetyCheck: optional(boolean),
  Tags: optional(TAGS),
  MultiRegion: optional(boolean),
  XksKeyId: optional(patterned(1, 128, '^[a-zA-Z0-9-_.]+$')),
});

export const createKey = defineAction('CreateKey', input, async (request, { keys, use, realm }) => {
  const kind = creatableKind(request);
  const { Description: description = '', Policy: policy, Tags = [] } = request;
  const created = await keys.createKey(
    {
      ...kind,
      description,
      tags: tagsOf(Tags),
      multiRegion: request.MultiRegion === true,
      bypassLockoutCheck: request.BypassPolicyLockoutSafetyCheck === true,
      ...(policy === undefined ? {} : { policy }),
    },
    use,
  );
  return { KeyMetadata: keyMetadata(created, realm) };
});
