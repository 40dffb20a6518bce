/** Objects that were seen to lie plain: their ranges are then read at once, and confirmed by the ETag of the answer. */
import type { GatewayContext, S3Request } from '../operation.ts';
import type { StoredAnswer } from '../sealing/fetch-stored.ts';

export type KnownPlain = Pick<StoredAnswer, 'etag' | 'storedSize'>;

const nameOf = ({ bucket, key, query }: S3Request): string =>
  JSON.stringify([bucket, key, query.get('versionId') ?? '']);

export function rememberPlain(request: S3Request, { caches }: GatewayContext, { etag, storedSize }: KnownPlain): void {
  caches.plain.set(nameOf(request), { etag, storedSize });
}

export const knownPlain = (request: S3Request, { caches }: GatewayContext): KnownPlain | undefined =>
  caches.plain.get(nameOf(request));

export function forgetPlain(request: S3Request, { caches }: GatewayContext): void {
  caches.plain.delete(nameOf(request));
}
