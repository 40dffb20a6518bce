/** What the gateway does otherwise than any plain store, and has to. */
import { NOTHING, refusal, type Difference } from './difference.ts';

export const OURS: readonly Difference[] = [
  {
    name: 'marked ETags',
    why: 'The ETag is that of the ciphertext, with `-0` behind it: clients that take 32 hex digits for an MD5 of the content would find it wrong (and rclone would delete the object).',
    where: /(?:^header etag|\/ETag)$/u,
    direct: /^"\(etag \d+\)"$/u,
    gateway: /^"\(etag \d+\)-0"$/u,
  },
  {
    name: 'encryption headers',
    why: 'Sealed objects are said to be encrypted, as S3 says it of SSE-KMS.',
    where: /^header x-amz-server-side-encryption(?:-aws-kms-key-id)?$/u,
    direct: NOTHING,
  },
  {
    name: 'an empty part 10000',
    why: 'The list of parts that ends a sealed object takes the last number there is, unless the object ends in a part of that number, which holds it. An empty one could not be told from it.',
    operations: /^UploadPart$/u,
    what: /^an empty part 10000$/u,
    says: refusal(400, 'InvalidArgument'),
  },
  {
    name: 'versions where none is named',
    why: 'S3 refuses an empty version, and any where an object is made; stores take the newest for the one, and ignore the other.',
    operations: /^(?:Get|Put)Object$/u,
    what: /^an empty version$|^with a version$/u,
    says: {
      ...refusal(400, 'InvalidArgument'),
      '/Error/ArgumentName': /^versionId$/u,
      '/Error/ArgumentValue': /^(?:null)?$/u,
    },
  },
];
