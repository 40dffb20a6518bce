/** What a form upload is answered: nothing, a document or a redirection, as the form asks. */
import type { IncomingMessage } from 'node:http';
import { encodePath } from '../../sigv4/percent-encoding.ts';
import { addressedUrl } from '../edge/addressed-url.ts';
import { formatXml } from '../listing/xml-tree.ts';
import type { S3Response } from '../operation.ts';
import type { Place } from '../request/target.ts';

export function formAnswer(
  stored: S3Response,
  fields: ReadonlyMap<string, string>,
  { bucket, key }: Place,
  incoming: IncomingMessage,
): S3Response {
  // Not the backend's word on a body it was sent, nor its length.
  const { 'content-length': _length, 'content-type': _type, ...kept } = stored.headers;
  const etag = kept['etag'] ?? '';
  const location = `${addressedUrl(incoming).replace(/\/+$/u, '')}/${encodePath(key)}`;
  const redirect = redirection(fields.get('success_action_redirect') ?? fields.get('redirect'), { bucket, key, etag });
  if (redirect !== undefined) return { status: 303, headers: { ...kept, location: redirect } };
  const headers = { ...kept, location };
  switch (fields.get('success_action_status')) {
    case '200':
      return { status: 200, headers };
    case '201': {
      const body = formatXml('PostResponse', { Location: location, Bucket: bucket, Key: key, ETag: etag });
      return { status: 201, headers: { ...headers, 'content-type': 'application/xml' }, body };
    }
    default:
      return { status: 204, headers };
  }
}

function redirection(
  target: string | undefined,
  named: { readonly bucket: string; readonly key: string; readonly etag: string },
): string | undefined {
  if (target === undefined || !/^https?:\/\//iu.test(target) || !URL.canParse(target)) return undefined;
  const url = new URL(target);
  for (const [name, value] of Object.entries(named)) url.searchParams.append(name, value);
  return url.href;
}
