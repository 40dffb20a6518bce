/** What the storage behind the gateway can do: probed at start, overridden by configuration. Each lack has its stated loss. */

import type { OwnChecksum } from './own-checksum.ts';

export type EtagForm = 'quoted' | 'bare';

export type UpstreamCapabilities = {
  /** ETags of multipart objects end in `-N`: LIST sizes are exact without look-ups. */
  readonly multipartEtagCountsParts: boolean;
  /** `If-None-Match: *` on PutObject is obeyed. */
  readonly conditionalWrites: boolean;
  /** `If-Match` on PutObject is, with ETags in this form; Ceph RGW 16 wants them bare. */
  readonly conditionalReplacements: EtagForm | false;
  /** `If-None-Match: *` and `If-Match` on CopyObject both are. */
  readonly conditionalCopyWrites: boolean;
  /** Likewise on CompleteMultipartUpload. */
  readonly conditionalCompletions: boolean;
  /** `If-Match` on DeleteObject is. */
  readonly conditionalDeletions: boolean;
  /** The header that pins a copy to the source that was read; undefined: none is obeyed, and copies are streamed through the gateway. */
  readonly copyCondition: CopyCondition | undefined;
  /** UploadPartCopy obeys `x-amz-copy-source-if-match`. */
  readonly conditionalPartCopies: boolean;
  /** CopyObject leaves `-N` in the ETag of a multipart object; else such an object is copied along its parts. */
  readonly copiesKeepPartCount: boolean;
  /** `?partNumber=` on GET and HEAD. */
  readonly readByPartNumber: boolean;
  /** `x-amz-content-sha256: UNSIGNED-PAYLOAD` is accepted (also over plain HTTP): bodies need not be hashed. */
  readonly unsignedPayload: boolean;
  /** All parts but the last must be equally long (R2). */
  readonly wantsEqualParts: boolean;
  /** Smallest size of a part that is not the last, in bytes (0: none). */
  readonly minPartBytes: number;
  /** `STREAMING-UNSIGNED-PAYLOAD-TRAILER`: a checksum that comes after the body can be stored with the object. */
  readonly trailingChecksums: boolean;
  /** The one checksum of ours that it gets of what it stores. */
  readonly ownChecksum: OwnChecksum;
  readonly multipart: boolean;
  /** ListParts: else the lengths of parts travel in the ETags clients are given, and are given back on completion. */
  readonly listsParts: boolean;
  /** CompleteMultipartUpload may name some of an upload's parts; Ceph RGW 16 wants all that it holds. */
  readonly completesWithSomeParts: boolean;
  readonly versioning: boolean;
  /** Bytes of user metadata it takes with an object, names included. */
  readonly metadataBytes: number;
};

/** S3's, and the one Ceph RGW 16 looks for in its place. */
export const COPY_CONDITIONS = ['x-amz-copy-source-if-match', 'x-amz-copy-if-match'] as const;
export type CopyCondition = (typeof COPY_CONDITIONS)[number];

/** What AWS S3 does; the start from which a probe subtracts. */
export const AWS_CAPABILITIES: UpstreamCapabilities = {
  multipartEtagCountsParts: true,
  conditionalWrites: true,
  conditionalReplacements: 'quoted',
  conditionalCopyWrites: true,
  conditionalCompletions: true,
  conditionalDeletions: true,
  copyCondition: 'x-amz-copy-source-if-match',
  conditionalPartCopies: true,
  copiesKeepPartCount: false,
  readByPartNumber: true,
  unsignedPayload: true,
  wantsEqualParts: false,
  minPartBytes: 5 * 1024 * 1024,
  trailingChecksums: true,
  ownChecksum: 'none',
  multipart: true,
  listsParts: true,
  completesWithSomeParts: true,
  versioning: true,
  metadataBytes: 2048,
};
