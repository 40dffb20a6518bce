/** ReplicateKey: a multi-Region primary key, made anew in another region. */
import { defineAction } from '../action.ts';
import { keyMetadata } from '../key-metadata.ts';
import { boolean, optional, required, string, struct } from '../shapes/shapes.ts';
import { KEY_ID, POLICY, REGION, TAGS, tagsOf } from './inputs.ts';

const input = struct({
  KeyId: required(KEY_ID),
  ReplicaRegion: required(REGION),
  Policy: optional(POLICY),
  BypassPolicyLockoutSafetyCheck: optional(boolean),
  Description: optional(string({ min: 0, max: 8192 })),
  Tags: optional(TAGS),
});

export const replicateKey = defineAction('ReplicateKey', input, async (request, { keys, use, realm }) => {
  const { KeyId: keyId, ReplicaRegion: replicaRegion, Policy, Description: description = '', Tags = [] } = request;
  const { key, policy, tags } = await keys.multiRegion.replicate(
    {
      ...{ keyId, replicaRegion, description, tags: tagsOf(Tags) },
      bypassLockoutCheck: request.BypassPolicyLockoutSafetyCheck === true,
      ...(Policy === undefined ? {} : { policy: Policy }),
    },
    use,
  );
  return {
    ReplicaKeyMetadata: keyMetadata(key, realm),
    ReplicaPolicy: policy,
    ReplicaTags: tags.map((tag) => ({ TagKey: tag.key, TagValue: tag.value })),
  };
});
