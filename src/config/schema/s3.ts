/** Section `s3`: the gateway, its upstream, its clients and its bucket rules. */
import { z } from 'zod';
import { exactlyOne, keyReference, listen, path, text, withClientCertificate } from './common.ts';
import { credentials } from './credentials.ts';

const capabilities = z
  .strictObject({
    unsignedPayload: z
      .boolean()
      .default(true)
      .describe('It takes `UNSIGNED-PAYLOAD`, so that bodies need not be hashed before they are sent.'),
    trailingChecksums: z
      .boolean()
      .optional()
      .describe('It takes checksums that follow the body, and stores them. By default only Amazon S3 is taken to.'),
    metadataBytes: z
      .int()
      .min(2048)
      .max(65_536)
      .default(2048)
      .describe(
        'Bytes of user metadata it takes with an object. Amazon S3 takes 2048, of which clients then have about 1100, since theirs are kept sealed; with 4096 or more clients have all of their 2048.',
      ),
  })
  .prefault({})
  .describe('What the object store can do, where it cannot be found out by trying.');

const upstream = z
  .strictObject({
    endpoint: z
      .url({ protocol: /^https?$/u, error: 'expected a URL such as https://s3.eu-central-1.amazonaws.com' })
      .describe('The object store: http or https URL; a path in it stands before the buckets.'),
    region: text('Region that requests to it are signed for.').default('us-east-1'),
    addressing: z
      .enum(['path', 'virtual'])
      .default('path')
      .describe('Where the bucket goes: `https://endpoint/bucket/key`, or `https://bucket.endpoint/key`.'),
    credentials: credentials.describe('Who the gateway is at the upstream.').prefault({ type: 'default' }),
    tls: withClientCertificate(
      z.strictObject({
        caFile: path('Certificates to trust for the upstream, PEM, instead of the well-known ones.').optional(),
        certFile: path('Certificate of the gateway, for a store that asks for one, PEM.').optional(),
        keyFile: path('Its private key, PEM.').optional(),
      }),
    )
      .optional()
      .describe('TLS to the upstream. The files are read again when they change.'),
    capabilities,
    checksum: z
      .enum(['none', 'md5', 'crc32', 'crc32c', 'crc64nvme', 'sha256'])
      .optional()
      .describe(
        'The checksum over ciphertext that it gets with each object and part the gateway seals, so that damage on the way is refused when it is written. By default `crc32` for Amazon S3 and `none` for others; `md5` (Content-MD5) is known to all, but goes with bodies up to 256 KiB only; all others behind longer bodies need `trailingChecksums`, and go with whole objects only. Parts of uploads have Content-MD5 up to 256 KiB, and of any length (64 MiB at most) in buckets with Object Lock, which the gateway needs `s3:GetBucketObjectLockConfiguration` to know of; other parts have none.',
      ),
  })
  .describe('The object store behind the gateway.');

const client = exactlyOne(
  z.strictObject({
    name: z
      .string()
      .regex(/^[\w+=,.@-]{1,64}$/u, 'expected letters, digits and + = , . @ _ -')
      .describe('The caller in audit records and key policies.'),
    accessKeyId: z
      .string()
      .regex(/^\w{3,128}$/u, 'expected 3 to 128 letters, digits or _')
      .describe('Access key id that the client signs with.'),
    secretAccessKey: text('Its secret; write `${NAME}` to take it from the environment.').optional(),
    secretAccessKeyFile: path('File that holds the secret.').optional(),
    sessionToken: text(
      'Makes the credentials temporary: the token that must come with every request; write `${NAME}` to take it from the environment.',
    ).optional(),
    sessionTokenFile: path('File that holds the session token.').optional(),
    expires: z.iso
      .datetime({ offset: true, error: 'expected a time such as 2027-01-31T12:00:00Z' })
      .optional()
      .describe('When the credentials end; afterwards requests get `ExpiredToken`.'),
  }),
  ['secretAccessKey', 'secretAccessKeyFile'],
);

/** Bucket names of S3, with an optional `*` at the end; or `*` alone. Old upstream names may hold capitals and `_`. */
const BUCKET_PATTERN = /^(?:[A-Za-z0-9][A-Za-z0-9._-]{0,253}\*?|\*)$/u;

const bucketPattern = z
  .string()
  .regex(BUCKET_PATTERN, 'expected a bucket name, which may end in `*`')
  .describe('A bucket, or the beginning of bucket names followed by `*`.');

const otherUpstream = upstream.extend({
  buckets: z
    .array(bucketPattern)
    .min(1)
    .describe('The buckets that lie there: names, which may end in `*`. The narrowest name of all stores wins.'),
});

const bucketRule = exactlyOne(
  z.strictObject({
    bucket: bucketPattern,
    prefix: z.string().max(1024).default('').describe('Only keys that begin with this.'),
    seal: keyReference.optional(),
    pass: z.literal(true).optional().describe('Pass through unchanged.'),
    refuse: z.literal(true).optional().describe('Refuse every request.'),
    anonymous: z
      .literal('read')
      .optional()
      .describe(
        'What may be done without a signature: read the objects (GET and HEAD of the newest version). Of sealed objects only where the key policy of their key names the anonymous principal (docs/ACCESS.md). Nothing unless told.',
      ),
    bucketId: text(
      'A logical name that stands for the bucket in the encryption context, so that objects still open after a move to another bucket.',
    ).optional(),
    allowedKeys: z
      .array(keyReference)
      .optional()
      .describe(
        'Further KMS keys that clients may ask for (`x-amz-server-side-encryption-aws-kms-key-id`). Without it only the key of `seal`.',
      ),
    customerKeys: z
      .enum(['allow', 'block'])
      .optional()
      .describe(
        'Uploads with a key that the client brings along (SSE-C): `allow` (the default), or `block` as new buckets of Amazon S3 do. Objects that have one are read either way.',
      ),
    plainObjects: z
      .enum(['refuse', 'read'])
      .optional()
      .describe(
        'Objects that were there before the rule, and are not sealed: `refuse` (the default), or `read` them as they lie, by whoever may decrypt with the key of `seal`. What is written is sealed in either case. While they are read, whoever can write to the object store can put objects of his own in the place of sealed ones (docs/SECURITY.md).',
      ),
    plainObjectsUntil: z.iso
      .datetime({ offset: true, error: 'expected a time such as 2027-01-31T12:00:00Z' })
      .optional()
      .describe('When `plainObjects: read` ends; afterwards what is not sealed is refused.'),
    allowAround: z
      .array(z.enum(['acl', 'analytics', 'inventory', 'logging', 'policy', 'publicAccess', 'replication', 'website']))
      .default([])
      .describe(
        'Settings of the bucket by which what it holds could get to others past the gateway: refused, unless each rule that seals or refuses keys of the bucket allows them here.',
      ),
    shownAs: z
      .enum(['aws:kms', 'aws:kms bucket-key', 'AES256'])
      .optional()
      .describe(
        'How objects are shown whose clients ask for no encryption, and the default encryption that GetBucketEncryption tells: `aws:kms` with the key of `seal` (the default), the same with a bucket key, or `AES256`. They are sealed in the same way.',
      ),
  }),
  ['seal', 'pass', 'refuse'],
);

export const s3Schema = z
  .strictObject({
    listen,
    hosts: z
      .array(z.string().regex(/^[a-z0-9.-]+$/u, 'expected a host name in small letters'))
      .default([])
      .describe('Base names for virtual-host style: `bucket.<name>` addresses the bucket.'),
    region: text('Region that clients sign for.').default('us-east-1'),
    upstream,
    otherUpstreams: z
      .array(otherUpstream)
      .default([])
      .describe(
        'Further object stores, each with the buckets that lie in it; all other buckets lie in `upstream`. Clients see the buckets of all as those of one store, and may copy between them.',
      ),
    clients: z
      .array(client)
      .min(1)
      .describe('Who may use the gateway; a client may have several access keys, each an entry with its name.'),
    buckets: z
      .array(bucketRule)
      .default([])
      .describe(
        'What happens to which objects. The narrowest rule wins: an exact bucket before a pattern, then the longer pattern, then the longer prefix. ' +
          'Two rules of which one has the narrower bucket and the other the narrower prefix, and that differ, are refused unless a third rule covers what both match. ' +
          'Objects that no rule matches pass unchanged.',
      ),
    listSizes: z
      .enum(['head', 'stored'])
      .default('head')
      .describe(
        'How listings find plaintext sizes where the ETag cannot tell: one HEAD per such row, or the stored size is shown.',
      ),
    emulateConditions: z
      .boolean()
      .default(false)
      .describe(
        'Where the object store does not decide on `If-None-Match` and `If-Match` of writes, look before writing instead of refusing them. Two writers at one instant can both pass: do not build locks on it.',
      ),
    defaultChecksum: z
      .enum(['none', 'crc64nvme'])
      .default('none')
      .describe(
        'The checksum of objects whose clients send none. Amazon S3 computes CRC64NVME; here each byte is authenticated by its encryption, so nothing is computed unless asked for.',
      ),
    customerKeysWithoutTls: z
      .boolean()
      .default(false)
      .describe(
        'Take keys that clients bring along (SSE-C) over plain HTTP too: only where something in front of the gateway ends TLS.',
      ),
  })
  .describe('The S3 gateway.');
