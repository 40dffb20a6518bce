/** Where the storage behind the gateway is, and how a bucket and key are addressed there. */
import { encodePath, encodeUri } from '../../sigv4/percent-encoding.ts';
import { S3Error } from '../errors.ts';
import type { S3Query } from '../operation.ts';

export type UpstreamEndpoint = {
  /** `http://host:port` or `https://...`, possibly with a path before the buckets. */
  readonly url: URL;
  readonly addressing: 'path' | 'virtual';
};

export type UpstreamAddress = {
  /** Scheme, host and port to connect to. */
  readonly origin: string;
  readonly host: string;
  readonly path: string;
  readonly query: string;
};

const HOST_LABELS = /^[a-z0-9](?:[a-z0-9-]|\.(?=[a-z0-9]))*$/u;

/** Throws ERR_S3_INVALID_BUCKET_NAME where the bucket has to be a host name and is none. */
export function addressOf(
  endpoint: UpstreamEndpoint,
  place: { bucket?: string; key?: string; query?: S3Query },
): UpstreamAddress {
  const { url } = endpoint;
  const bucket = place.bucket ?? '';
  const virtual = endpoint.addressing === 'virtual' && bucket !== '';
  // Hosts have no case: `Sealed` would reach the bucket `sealed` past its rules.
  if (virtual && !HOST_LABELS.test(bucket)) throw new S3Error('ERR_S3_INVALID_BUCKET_NAME');
  const host = virtual ? `${bucket}.${url.host}` : url.host;
  const prefix = url.pathname.replace(/\/$/u, '');
  const within = virtual ? '' : encodeUri(bucket);
  const key = place.key === undefined || place.key === '' ? '' : `/${encodePath(place.key)}`;
  const path = `${prefix}${within === '' ? '' : `/${within}`}${key}`;
  return { origin: `${url.protocol}//${host}`, host, path: path === '' ? '/' : path, query: formatQuery(place.query) };
}

/** `name=value` for each; a bare subresource keeps its `=`, which means the same and needs no second form. */
function formatQuery(query: S3Query | undefined): string {
  return [...(query ?? [])].map(([name, value]) => `${encodeUri(name)}=${encodeUri(value)}`).join('&');
}
