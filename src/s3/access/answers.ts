/** What a caller whose rights are limited is told: no buckets that are not theirs, and no word on whether an object exists. */
import { gather } from '../bodies/byte-source.ts';
import { S3Error } from '../errors.ts';
import { childrenOf, childText, contentOf, formatXml, parseXml } from '../listing/xml-tree.ts';
import type { S3OperationName } from '../operation-names.ts';
import type { S3Request, S3Response } from '../operation.ts';
import { MAX_LIST_BYTES } from '../sealing/limits.ts';
import { ALL_BUCKETS, bucketArn } from './permissions.ts';
import type { CallerRights } from './rights.ts';

/** Runs the request; throws ERR_S3_ACCESS_DENIED where its answer would say too much. */
export async function answerWithinRights(request: S3Request, run: () => Promise<S3Response>): Promise<S3Response> {
  const { rights } = request.caller;
  if (rights === undefined) return run();
  if (request.operation === 'ListBuckets') return ownBuckets(await run(), request, rights);
  return READS.has(request.operation) ? existing(run, request, rights) : run();
}

const READS: ReadonlySet<S3OperationName> = new Set<S3OperationName>([
  'GetObject',
  'HeadObject',
  'GetObjectAttributes',
]);

/** As S3: that an object does not exist is said to those who may list the bucket. */
async function existing(
  run: () => Promise<S3Response>,
  { bucket }: S3Request,
  rights: CallerRights,
): Promise<S3Response> {
  const mayList = (): boolean => rights.may({ action: 's3:ListBucket', resource: bucketArn(bucket) });
  try {
    const response = await run();
    if (response.status === 404 && !mayList()) throw new S3Error('ERR_S3_ACCESS_DENIED');
    return response;
  } catch (error) {
    const isMissing = error instanceof S3Error && error.status === 404;
    throw isMissing && !mayList() ? new S3Error('ERR_S3_ACCESS_DENIED', undefined, { cause: error }) : error;
  }
}

/** All buckets for who may list them all; else those that the caller may list or locate, and ERR_S3_ACCESS_DENIED where there are none. */
async function ownBuckets(response: S3Response, { query }: S3Request, rights: CallerRights): Promise<S3Response> {
  if (response.status !== 200 || rights.may(ALL_BUCKETS)) return response;
  const document = parseXml(await textOf(response), 'ListAllMyBucketsResult');
  if (document === undefined) throw new S3Error('ERR_S3_UPSTREAM_PROTOCOL');
  const buckets = childrenOf(document.children.get('Buckets')?.[0], 'Bucket').filter((bucket) => {
    const resource = bucketArn(childText(bucket, 'Name') ?? '');
    return ['s3:ListBucket', 's3:GetBucketLocation'].some((action) => rights.may({ action, resource }));
  });
  const token = childText(document, 'ContinuationToken');
  // Of several pages this one may be empty.
  if (buckets.length === 0 && token === undefined && !query.has('continuation-token')) rights.demand([ALL_BUCKETS]);
  const body = formatXml('ListAllMyBucketsResult', {
    Owner: document.children.get('Owner')?.map(contentOf),
    Buckets: { Bucket: buckets.map(contentOf) },
    ContinuationToken: token,
    Prefix: childText(document, 'Prefix'),
  });
  return { ...response, headers: { ...response.headers, 'content-length': String(body.length) }, body };
}

async function textOf({ body }: S3Response): Promise<string> {
  if (body === undefined) return '';
  if (body instanceof Uint8Array) return Buffer.from(body).toString();
  const bytes = await gather(body, (length) => {
    if (length > MAX_LIST_BYTES)
      throw new S3Error('ERR_S3_UPSTREAM_PROTOCOL', 'The answer of the storage is too long.');
  });
  return Buffer.from(bytes).toString();
}
