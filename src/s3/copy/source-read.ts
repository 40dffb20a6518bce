/**
 * The read of a copy's source: a request of the same caller, so that a copy can do nothing that a read and a write could not. Conditions
 * (`x-amz-copy-source-if-...`) are those of a read, but for their answer: a copy that is not wanted is always 412.
 */
import type { ByteSource } from '../bodies/byte-source.ts';
import { ENVELOPE_METADATA_NAME } from '../../envelope/object/object-envelope.ts';
import { S3Error } from '../errors.ts';
import { MAX_BODY_BYTES } from '../limits.ts';
import type { GatewayContext, S3Headers, S3Request, S3Response } from '../operation.ts';
import { answerHeaders } from '../edge/forward.ts';
import { getObject } from '../operations/get-object.ts';
import type { CopySource } from '../request/copy-source.ts';
import { ruleForKey } from '../rule-for-key.ts';
import { checkReadConditions, READ_CONDITIONS } from '../sealing/conditions.ts';
import { sendOrThrow } from '../sealing/upstream-errors.ts';
import { noBody } from './copied-body.ts';

/** Which headers of a copy speak of its source, and what they are called in a read. */
const READ_HEADERS: Readonly<Record<string, string>> = {
  'x-amz-copy-source-if-match': 'if-match',
  'x-amz-copy-source-if-none-match': 'if-none-match',
  'x-amz-copy-source-if-modified-since': 'if-modified-since',
  'x-amz-copy-source-if-unmodified-since': 'if-unmodified-since',
  'x-amz-copy-source-server-side-encryption-customer-algorithm': 'x-amz-server-side-encryption-customer-algorithm',
  'x-amz-copy-source-server-side-encryption-customer-key': 'x-amz-server-side-encryption-customer-key',
  'x-amz-copy-source-server-side-encryption-customer-key-md5': 'x-amz-server-side-encryption-customer-key-md5',
  'x-amz-source-expected-bucket-owner': 'x-amz-expected-bucket-owner',
  'x-amz-request-payer': 'x-amz-request-payer',
};

export function sourceRequest(
  request: S3Request,
  { rules }: Pick<GatewayContext, 'rules'>,
  { bucket, key, versionId }: CopySource,
): S3Request {
  const headers = Object.entries(READ_HEADERS).flatMap(([name, read]) => {
    const value = request.headers[name];
    return value === undefined ? [] : [[read, value] as const];
  });
  return {
    ...request,
    operation: 'GetObject',
    method: 'GET',
    bucket,
    key,
    query: versionId === undefined ? new Map() : new Map([['versionId', versionId]]),
    headers: Object.fromEntries(headers),
    body: noBody(),
    rule: ruleForKey({ bucket, key }, rules),
    isCopySource: true,
  };
}

/** A source that is being read: its plaintext. */
export type ReadSource = {
  readonly headers: S3Headers;
  readonly length: number;
  readonly body: Uint8Array | ByteSource;
};

type Answered = Pick<S3Response, 'headers' | 'body'>;

/**
 * Throws what a read would, and ERR_S3_PRECONDITION_FAILED.
 * @param into where the copy is to be `plain`, a sealed object that lies where nothing is sealed is refused (ERR_S3_INVALID_REQUEST): its
 * envelope, which is shown to nobody, would not go along, and nobody could open the copy.
 */
export async function readSource(
  source: S3Request,
  gateway: GatewayContext,
  into: 'sealed' | 'plain' = 'sealed',
): Promise<ReadSource> {
  const { headers, body } = await asCopyErrors<Answered>(() =>
    source.rule?.type === 'seal' ? getObject.handle(source, gateway) : readPlain(source, gateway, into),
  );
  const length = Number(headers['content-length']);
  if (!Number.isSafeInteger(length)) throw new S3Error('ERR_S3_UPSTREAM_PROTOCOL');
  return { headers, length, body: body ?? new Uint8Array(0) };
}

async function readPlain(
  { bucket, key, query, headers, signal }: S3Request,
  gateway: GatewayContext,
  into: 'sealed' | 'plain',
): Promise<Answered> {
  // No condition goes along: backends differ in which they obey, what an ETag is like, and which of two conditions counts.
  const asked = Object.fromEntries(Object.entries(headers).filter(([name]) => !READ_CONDITIONS.has(name)));
  const response = await sendOrThrow(gateway, { method: 'GET', bucket, key, query, headers: asked, signal });
  try {
    // Of what lies plain clients know the backend's own ETag.
    checkReadConditions(headers, response.headers, (etag) => etag);
    if (into === 'plain' && response.headers[ENVELOPE_METADATA_NAME] !== undefined) throw sealedInPlain();
  } catch (error) {
    await response.body.release();
    throw error;
  }
  return { headers: answerHeaders(response.headers), body: response.body };
}

const sealedInPlain = (): S3Error =>
  new S3Error('ERR_S3_INVALID_REQUEST', 'The source is a sealed object: copy it under the rule that sealed it.');

/** `Not Modified` is an answer to reads alone, and what a read calls its condition a copy calls its source's. */
export async function asCopyErrors<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof S3Error)) throw error;
    if (error.status === 304) throw new S3Error('ERR_S3_PRECONDITION_FAILED', undefined, { cause: error });
    const { Condition: condition } = error.details;
    if (condition === undefined) throw error;
    const details = { ...error.details, Condition: `x-amz-copy-source-${condition}` };
    throw new S3Error(error.code, undefined, { details, cause: error });
  }
}

/** S3's own words and limit. */
export function refuseTooLarge(length: number): void {
  if (length <= MAX_BODY_BYTES) return;
  throw new S3Error(
    'ERR_S3_INVALID_REQUEST',
    `The specified copy source is larger than the maximum allowable size for a copy source: ${MAX_BODY_BYTES}`,
  );
}
