/**
 * An object that is copied to itself through the gateway, at a backend that writes into the file which is still being read (s3rver): the
 * bytes go to a hidden object first, and the backend puts it in the place of the other when it is whole.
 */
import { HIDDEN_PREFIX } from '../../envelope/object/hidden-object.ts';
import { S3Error } from '../errors.ts';
import { deleteHiddenKey } from '../listing/delete-hidden.ts';
import { childText, parseXml } from '../listing/xml-tree.ts';
import type { GatewayContext } from '../operation.ts';
import type { Place } from '../request/target.ts';
import { MAX_LIST_BYTES } from '../sealing/limits.ts';
import { errorDocument } from '../sealing/upstream-errors.ts';
import { sendingBy, type UpstreamClient, type UpstreamRequest, type UpstreamResponse } from '../upstream/client.ts';
import { formatCopySource } from './copy-source-header.ts';

const NAME_BYTES = 16;

/** A gateway whose streamed PUT of this object takes the way around. */
export function replacingInPlace(gateway: GatewayContext, { bucket, key }: Place): GatewayContext {
  const { upstream } = gateway;
  const temporary = `${HIDDEN_PREFIX}copies/${Buffer.from(gateway.random(NAME_BYTES)).toString('hex')}`;
  const isReplacing = (request: UpstreamRequest): boolean =>
    request.method === 'PUT' && request.bucket === bucket && request.key === key && request.body !== undefined;
  return {
    ...gateway,
    upstream: sendingBy(upstream, (request) =>
      isReplacing(request) ? replace(upstream, request, temporary) : upstream.send(request),
    ),
  };
}

async function replace(
  upstream: UpstreamClient,
  { headers = {}, ...request }: UpstreamRequest,
  temporary: string,
): Promise<UpstreamResponse> {
  const bucket = request.bucket ?? '';
  try {
    // Conditions are on what lies at the key.
    const { 'if-match': _match, 'if-none-match': _noneMatch, ...stored } = headers;
    const put = await upstream.send({ ...request, headers: stored, key: temporary });
    if (put.status !== 200) return put;
    await put.body.release();
    const { body: _sent, contentLength: _length, ...place } = request;
    const source = formatCopySource({ bucket, key: temporary, versionId: undefined });
    // What it was put with goes along with it. Told to replace that, s3rver 5 keeps the ETag of the object that was there.
    const copied = await upstream.send({
      ...place,
      headers: { ...headers, 'x-amz-copy-source': source, 'x-amz-metadata-directive': 'COPY' },
    });
    if (copied.status !== 200) return copied;
    const text = (await copied.body.text(MAX_LIST_BYTES)).trim();
    const etag = childText(parseXml(text, 'CopyObjectResult'), 'ETag');
    if (etag === undefined) throw errorDocument(text, copied);
    return { ...copied, headers: { ...copied.headers, etag } };
  } catch (error) {
    throw error instanceof S3Error ? error : new S3Error('ERR_S3_INTERNAL', undefined, { cause: error });
  } finally {
    await deleteHiddenKey({ upstream, bucket }, temporary);
  }
}
