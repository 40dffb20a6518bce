/**
 * Tags that go along with a copy are read and written: of a source that has any, that takes the rights to both, as on S3. It is looked only for
 * callers who lack one of them.
 */
import { objectArns, type Permission } from '../access/permissions.ts';
import type { GatewayContext, S3Request } from '../operation.ts';
import { copySourceOf } from '../request/copy-source.ts';
import { parseDirectives } from './directives.ts';
import { sourceRequest } from './source-read.ts';
import { readTags } from './tags.ts';

/** Throws ERR_S3_ACCESS_DENIED. Precondition: the request is a CopyObject. */
export async function demandTagRights(request: S3Request, gateway: GatewayContext): Promise<void> {
  const { rights } = request.caller;
  if (rights === undefined || parseDirectives(request.headers).tagging === 'REPLACE') return;
  const place = copySourceOf(request.headers);
  const reads = place.versionId === undefined ? 's3:GetObjectTagging' : 's3:GetObjectVersionTagging';
  const needed: readonly Permission[] = [
    ...objectArns(place).map((resource) => ({ action: reads, resource })),
    ...objectArns(request).map((resource) => ({ action: 's3:PutObjectTagging', resource })),
  ];
  if (needed.every((permission) => rights.may(permission))) return;
  const tags = await readTags(sourceRequest(request, gateway, place), gateway, {});
  if (tags.length > 0) rights.demand(needed);
}
