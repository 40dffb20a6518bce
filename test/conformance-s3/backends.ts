/** What the comparison is made in front of. */
import { AWS_CAPABILITIES, type UpstreamCapabilities } from '../../src/s3/upstream/capabilities.ts';
import { S3RVER_CAPABILITIES } from '../support/s3/edge.ts';
import { startBackend, type Backend } from '../support/s3/sealed.ts';
import { CEPH_DIFFERENCES } from './differences/ceph.ts';
import type { Difference } from './differences/difference.ts';
import { S3RVER_DIFFERENCES } from './differences/s3rver.ts';

/** Cases whose preparations a backend refuses: a test shows that it does. */
export type Lack = {
  readonly why: string;
  /** Of `operation: what is asked`. */
  readonly cases: RegExp;
};

export type ComparedBackend = {
  readonly name: string;
  /** The backend, or why there is none. */
  readonly start: () => Promise<Backend | string>;
  readonly capabilities: UpstreamCapabilities;
  readonly differences: readonly Difference[];
  readonly lacks: readonly Lack[];
  /** The page below docs/, and what a person needs who wants to write it anew. */
  readonly page: string;
  readonly needs: string;
};

export const CEPH: ComparedBackend = {
  name: 'Ceph RGW',
  start: rgw,
  capabilities: AWS_CAPABILITIES,
  differences: CEPH_DIFFERENCES,
  lacks: [],
  page: 'S3-CONFORMANCE.md',
  needs: ', where Ceph RGW is installed',
};

export const S3RVER: ComparedBackend = {
  name: 's3rver',
  start: () => startBackend('s3rver'),
  capabilities: S3RVER_CAPABILITIES,
  differences: S3RVER_DIFFERENCES,
  lacks: [
    {
      why: 'has no versions',
      cases:
        /with versions|versions are suspended|versions by id|delete marker|older version|the newer and the older|^ListObjectVersions: (?!an empty bucket|a bucket without)|^GetBucketVersioning/u,
    },
    {
      why: 'has no object lock, and no ACLs of buckets',
      cases: /retained for a day|^PutBucketAcl: the document/u,
    },
  ],
  page: 'S3-CONFORMANCE-S3RVER.md',
  needs: '',
};

/** `S3_CONFORMANCE_RGW`: the URL of one that runs already, with the user of the shared script. */
async function rgw(): Promise<Backend | string> {
  const url = process.env['S3_CONFORMANCE_RGW'];
  // Of its own: to remove its hundreds of buckets one by one takes minutes, to end it seconds.
  if (url === undefined) return startBackend('radosgw', true);
  const credentials = {
    accessKeyId: '0555b35654ad1656d804',
    secretAccessKey: 'h7GhxuBLTrlhVUyxSPUKUV8r/2EI4ngqJxD7iBdBYLhwluN30JaT3Q==',
  };
  return { url, directory: '', ...credentials, close: () => Promise.resolve() };
}
