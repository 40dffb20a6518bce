/** HEAD of a still-plain object. */
import type { GatewayContext, S3Request, S3Response } from '../operation.ts';
import { storedAnswer } from '../sealing/fetch-stored.ts';
import { resolveRange } from '../sealing/range-header.ts';
import type { Selection } from '../sealing/selection.ts';
import type { UpstreamResponse } from '../upstream/client.ts';
import { plainHeaders } from './plain-answer.ts';
import { authorizePlainRead } from './plain-mode.ts';
import { plainPart } from './plain-part.ts';

/** `response`: the store's answer to a HEAD of all of it. */
export async function headPlain(
  request: S3Request,
  gateway: GatewayContext,
  response: UpstreamResponse,
  selection: Selection,
): Promise<S3Response> {
  const stored = storedAnswer(request.key, response);
  await authorizePlainRead(request, gateway);
  if (selection.type === 'part') {
    const { status, headers, body } = await plainPart(request, gateway, stored, 'HEAD', selection.partNumber);
    await body.release();
    return { status, headers };
  }
  const headers = plainHeaders(request, response.headers);
  const size = stored.storedSize;
  if (selection.type === 'whole') return { status: 200, headers: { ...headers, 'content-length': String(size) } };
  const { from, to } = resolveRange(selection.range, size);
  const ofRange = { 'content-length': String(to - from + 1), 'content-range': `bytes ${from}-${to}/${size}` };
  return { status: 206, headers: { ...headers, ...ofRange } };
}
