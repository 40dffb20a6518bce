/** Buckets and their settings. */
import type { S3OperationName } from '../../../src/s3/operation-names.ts';
import type { Case } from '../case.ts';
import type { Asked } from '../twins.ts';
import { createHash } from 'node:crypto';
import { document, put, SUSPENDED, tagging, VERSIONED } from './requests.ts';

const digest = (body: string): Record<string, string> => ({
  'content-md5': createHash('md5').update(body).digest('base64'),
});
const asked = (method: Asked['method'], name: string, body?: string): Asked => ({
  method,
  query: { [name]: '' },
  ...(body === undefined ? {} : { body, headers: digest(body) }),
});

const RULE =
  '<ID>r</ID><Filter><Prefix>tmp/</Prefix></Filter><Status>Enabled</Status><Expiration><Days>3</Days></Expiration>';
const LIFECYCLE = document(
  'LifecycleConfiguration',
  `<Rule>${RULE}</Rule><Rule><ID>a</ID><Prefix></Prefix><Status>Enabled</Status><AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation></AbortIncompleteMultipartUpload></Rule>`,
);
const CORS = document(
  'CORSConfiguration',
  '<CORSRule><AllowedOrigin>https://a.example</AllowedOrigin><AllowedMethod>GET</AllowedMethod><AllowedMethod>PUT</AllowedMethod><AllowedHeader>*</AllowedHeader><ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>60</MaxAgeSeconds></CORSRule>',
);
const LOCK = document(
  'ObjectLockConfiguration',
  '<ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention><Mode>GOVERNANCE</Mode><Days>1</Days></DefaultRetention></Rule>',
);
const CLOSED = ['BlockPublicAcls', 'IgnorePublicAcls', 'BlockPublicPolicy', 'RestrictPublicBuckets']
  .map((way) => `<${way}>true</${way}>`)
  .join('');
const BLOCK = document('PublicAccessBlockConfiguration', CLOSED);

/** A setting: what is read before it is made, made, read, and taken away again. */
const setting = (
  name: string,
  operations: { get: S3OperationName; put?: S3OperationName; remove?: S3OperationName },
  body = '',
  bucket?: Case['bucket'],
): readonly Case[] => {
  const more = bucket === undefined ? {} : { bucket };
  return [
    { operation: operations.get, what: 'where nothing was set', run: (side) => side.send(asked('GET', name)), ...more },
    ...(operations.put === undefined
      ? []
      : [
          {
            operation: operations.put,
            what: 'set, and read back',
            run: async (side) => [await side.send(asked('PUT', name, body)), await side.send(asked('GET', name))],
            ...more,
          } satisfies Case,
        ]),
    ...(operations.put === undefined
      ? []
      : [
          {
            operation: operations.put,
            what: 'what is no document',
            run: (side) => side.send(asked('PUT', name, 'nonsense')),
            ...more,
          } satisfies Case,
        ]),
    ...(operations.remove === undefined
      ? []
      : [
          {
            operation: operations.remove,
            what: 'taken away, twice, and whether the bucket is still there',
            run: async (side) => {
              await side.send(asked('PUT', name, body));
              return [
                await side.send(asked('DELETE', name)),
                await side.send(asked('DELETE', name)),
                await side.send(asked('GET', name)),
                await side.send({ method: 'HEAD' }),
              ];
            },
            ...more,
          } satisfies Case,
        ]),
  ];
};

const NUMBERED = {
  analytics: 'AnalyticsConfiguration',
  inventory: 'InventoryConfiguration',
  metrics: 'MetricsConfiguration',
  'intelligent-tiering': 'IntelligentTieringConfiguration',
} as const;

export const BUCKET_CASES: readonly Case[] = [
  {
    operation: 'ListBuckets',
    what: 'names and dates',
    // Both sides make buckets meanwhile, on one server: how many there are is not compared.
    run: async (side) => {
      const { headers, ...answer } = await side.send({ method: 'GET', service: true });
      const { 'content-length': _, ...same } = headers;
      return { ...answer, headers: same, body: Buffer.from('') };
    },
  },
  { operation: 'CreateBucket', what: 'one that is there already', run: (side) => side.send({ method: 'PUT' }) },
  {
    operation: 'CreateBucket',
    what: 'with object lock',
    bucket: { 'x-amz-bucket-object-lock-enabled': 'true' },
    run: (side) => side.send(asked('GET', 'versioning')),
  },
  { operation: 'HeadBucket', what: 'a bucket', run: (side) => side.send({ method: 'HEAD' }) },
  {
    operation: 'DeleteBucket',
    what: 'an empty one, and again',
    run: async (side) => [
      await side.send({ method: 'DELETE' }),
      await side.send({ method: 'DELETE' }),
      await side.send({ method: 'HEAD' }),
    ],
  },
  {
    operation: 'DeleteBucket',
    what: 'one that holds an object',
    run: async (side) => {
      await put(side, 'k', 'x');
      return side.send({ method: 'DELETE' });
    },
  },
  { operation: 'GetBucketLocation', what: 'a bucket’s', run: (side) => side.send(asked('GET', 'location')) },
  {
    operation: 'GetBucketVersioning',
    what: 'never set, enabled, suspended',
    run: async (side) => {
      const before = await side.send(asked('GET', 'versioning'));
      await side.done(VERSIONED);
      const enabled = await side.send(asked('GET', 'versioning'));
      await side.done(SUSPENDED);
      return [before, enabled, await side.send(asked('GET', 'versioning'))];
    },
  },
  {
    operation: 'PutBucketVersioning',
    what: 'enabled, a status that is none, and no document',
    run: async (side) => [
      await side.send(VERSIONED),
      await side.send({ ...VERSIONED, body: VERSIONED.body.replace('Enabled', 'Perhaps') }),
      await side.send({ ...VERSIONED, body: 'nonsense' }),
    ],
  },
  ...setting('acl', { get: 'GetBucketAcl' }),
  {
    operation: 'PutBucketAcl',
    what: 'private',
    run: async (side) => [
      await side.send({ ...asked('PUT', 'acl'), headers: { 'x-amz-acl': 'private' } }),
      await side.send(asked('GET', 'acl')),
    ],
  },
  {
    operation: 'PutBucketAcl',
    what: 'the document that was read before',
    run: async (side) => {
      const { body } = await side.done(asked('GET', 'acl'));
      return [await side.send({ ...asked('PUT', 'acl'), body }), await side.send(asked('GET', 'acl'))];
    },
  },
  ...setting(
    'tagging',
    { get: 'GetBucketTagging', put: 'PutBucketTagging', remove: 'DeleteBucketTagging' },
    tagging({ a: '1' }),
  ),
  ...setting('cors', { get: 'GetBucketCors', put: 'PutBucketCors', remove: 'DeleteBucketCors' }, CORS),
  ...setting(
    'lifecycle',
    { get: 'GetBucketLifecycleConfiguration', put: 'PutBucketLifecycleConfiguration', remove: 'DeleteBucketLifecycle' },
    LIFECYCLE,
  ),
  ...setting('object-lock', { get: 'GetObjectLockConfiguration' }),
  ...setting('object-lock', { get: 'GetObjectLockConfiguration', put: 'PutObjectLockConfiguration' }, LOCK, {
    'x-amz-bucket-object-lock-enabled': 'true',
  }),
  ...setting('publicAccessBlock', { get: 'GetPublicAccessBlock', put: 'PutPublicAccessBlock' }, BLOCK),
  ...setting(
    'requestPayment',
    { get: 'GetBucketRequestPayment', put: 'PutBucketRequestPayment' },
    document('RequestPaymentConfiguration', '<Payer>Requester</Payer>'),
  ),
  ...setting('policy', { get: 'GetBucketPolicy' }),
  ...setting('policyStatus', { get: 'GetBucketPolicyStatus' }),
  ...setting(
    'notification',
    { get: 'GetBucketNotificationConfiguration', put: 'PutBucketNotificationConfiguration' },
    document('NotificationConfiguration', ''),
  ),
  ...setting(
    'accelerate',
    { get: 'GetBucketAccelerateConfiguration', put: 'PutBucketAccelerateConfiguration' },
    document('AccelerateConfiguration', '<Status>Suspended</Status>'),
  ),
  ...setting(
    'ownershipControls',
    { get: 'GetBucketOwnershipControls', put: 'PutBucketOwnershipControls', remove: 'DeleteBucketOwnershipControls' },
    document('OwnershipControls', '<Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule>'),
  ),
  ...setting('website', { get: 'GetBucketWebsite' }),
  ...setting('replication', { get: 'GetBucketReplication' }),
  ...setting('logging', { get: 'GetBucketLogging', put: 'PutBucketLogging' }, document('BucketLoggingStatus', '')),
  ...(['analytics', 'inventory', 'metrics', 'intelligent-tiering'] as const).flatMap((name) => numbered(name)),
  {
    operation: 'PutBucketCors',
    what: 'then preflights that fit and that do not, and answers to pages',
    run: async (side) => {
      await put(side, 'k', 'hello');
      await side.done(asked('PUT', 'cors', CORS));
      const preflight = (origin: string, method: string): Asked => ({
        method: 'OPTIONS',
        key: 'k',
        unsigned: true,
        headers: { origin, 'access-control-request-method': method, 'access-control-request-headers': 'x-amz-date' },
      });
      return [
        await side.send(preflight('https://a.example', 'PUT')),
        await side.send(preflight('https://b.example', 'PUT')),
        await side.send(preflight('https://a.example', 'DELETE')),
        await side.send({ method: 'GET', key: 'k', headers: { origin: 'https://a.example' } }),
        await side.send({ method: 'GET', key: 'k', headers: { origin: 'https://b.example' } }),
        await side.send({ method: 'GET', query: {}, headers: { origin: 'https://a.example' } }),
      ];
    },
  },
  {
    operation: 'DeleteBucketWebsite',
    what: 'where nothing was set',
    run: (side) => side.send(asked('DELETE', 'website')),
  },
  {
    operation: 'DeleteBucketReplication',
    what: 'where nothing was set',
    run: (side) => side.send(asked('DELETE', 'replication')),
  },
];

/** Settings that a bucket has several of: by their ids. */
function numbered(name: keyof typeof NUMBERED): readonly Case[] {
  const root = NUMBERED[name];
  const byId = (method: Asked['method'], body?: string): Asked => ({
    method,
    query: { [name]: '', id: 'x' },
    ...(body === undefined ? {} : { body }),
  });
  const bucketIsThere: Asked = { method: 'HEAD' };
  return [
    { operation: `ListBucket${root}s`, what: 'where nothing was set', run: (side) => side.send(asked('GET', name)) },
    { operation: `GetBucket${root}`, what: 'where nothing was set', run: (side) => side.send(byId('GET')) },
    {
      operation: `DeleteBucket${root}`,
      what: 'where nothing was set, and whether the bucket is still there',
      run: async (side) => [await side.send(byId('DELETE')), await side.send(bucketIsThere)],
    },
    ...(root === 'MetricsConfiguration' || root === 'IntelligentTieringConfiguration'
      ? [
          {
            operation: `PutBucket${root}`,
            what: 'a configuration',
            run: (side) => side.send(byId('PUT', document(root, '<Id>x</Id>'))),
          } satisfies Case,
        ]
      : []),
  ];
}
