/**
 * CopyObject where source or destination is sealed. Sealed to sealed keeps the ciphertext where the backend can be held to the source that
 * was read; everything else is streamed: decrypted for who may read the source, sealed by the destination's rule.
 */
import { onCopyLane } from '../copy/copy-lane.ts';
import { copyAnswer, type CopyMade } from '../copy/copy-result.ts';
import { parseDirectives, refuseIdleCopy, type Directives } from '../copy/directives.ts';
import { serverCopy } from '../copy/server-copy.ts';
import { sourceRequest } from '../copy/source-read.ts';
import { streamCopy } from '../copy/stream-copy.ts';
import { demandTagRights } from '../copy/tag-rights.ts';
import { refuseHiddenKey } from '../listing/hidden-names.ts';
import type { GatewayContext, S3Operation, S3Request } from '../operation.ts';
import { copySourceOf } from '../request/copy-source.ts';
import { namedChecksum } from '../sealing/checksum-choice.ts';
import { ObjectChanged } from '../sealing/fetch-stored.ts';
import { learningOnce } from '../sealing/write-conditions.ts';

/** How often a source may be replaced under a copy before the client is told to try again. */
const MAX_TRIES = 3;

export const copyObject: S3Operation = {
  name: 'CopyObject',
  async handle(request, gateway) {
    refuseHiddenKey(request.key);
    await request.body.bytes(0);
    const place = copySourceOf(request.headers);
    const directives = parseDirectives(request.headers);
    refuseIdleCopy(request, place, directives);
    // What is none is refused before anything is read.
    namedChecksum(request.headers);
    await demandTagRights(request, gateway);
    const source = sourceRequest(request, gateway, place);
    for (let tries = 1; ; tries += 1) {
      try {
        return copyAnswer('CopyObjectResult', await copy(request, gateway, source, directives));
      } catch (error) {
        if (!(error instanceof ObjectChanged) || tries === MAX_TRIES) throw error;
      }
    }
  },
};

async function copy(
  request: S3Request,
  gateway: GatewayContext,
  source: S3Request,
  directives: Directives,
): Promise<CopyMade> {
  const learn = learningOnce(onCopyLane(gateway), request);
  return (
    (await serverCopy(request, gateway, source, directives, learn)) ??
    streamCopy(request, gateway, source, directives, learn)
  );
}
