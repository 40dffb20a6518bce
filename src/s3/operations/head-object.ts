/** HeadObject on a sealed key: sizes of the plaintext, and only headers the envelope vouches for. */
import { refuseHiddenKey } from '../listing/hidden-names.ts';
import type { GatewayContext, S3Operation, S3Request, S3Response } from '../operation.ts';
import { headPlain } from '../plain/head-plain.ts';
import { isStillPlain } from '../plain/plain-mode.ts';
import { sendRead } from '../sealing/conditional-read.ts';
import { checkReadConditions } from '../sealing/conditions.ts';
import { openEnvelope, type OpenedEnvelope } from '../sealing/envelope-headers.ts';
import { storedAnswer, type StoredAnswer } from '../sealing/fetch-stored.ts';
import { layoutOf } from '../sealing/object-layout.ts';
import { plaintextLength } from '../sealing/read-whole.ts';
import { overriddenHeaders, readHeaders } from '../sealing/response-headers.ts';
import { selectedBytes, selectedHeaders, selectionOf, withIfRange, type Selection } from '../sealing/selection.ts';
import { selectedChecksum, wholeChecksum } from '../sealing/stored-checksum.ts';
import { checkReadEncryption } from '../sse/given-key.ts';

export const headObject: S3Operation = {
  name: 'HeadObject',
  async handle(request, gateway) {
    refuseHiddenKey(request.key);
    checkReadEncryption(request, gateway);
    const asked = selectionOf(request);
    const response = await sendRead(request, gateway, 'HEAD');
    await response.body.release();
    const stored = storedAnswer(request.key, response);
    checkReadConditions(request.headers, response.headers);
    const selection = withIfRange(asked, request.headers, response.headers);
    if (isStillPlain(request, gateway, response.headers)) return headPlain(request, gateway, response, selection);
    const opened = await openEnvelope(request, gateway, response.headers);
    return answer(request, gateway, stored, opened, selection);
  },
};

async function answer(
  request: S3Request,
  gateway: GatewayContext,
  stored: StoredAnswer,
  opened: OpenedEnvelope,
  selection: Selection,
): Promise<S3Response> {
  const headers = { ...readHeaders(stored.headers, opened, request), ...overriddenHeaders(request.query) };
  if (selection.type === 'whole') {
    const length = await plaintextLength(request, gateway, stored, opened);
    const checksum = await wholeChecksum(request, gateway, stored, opened);
    return { status: 200, headers: { ...headers, ...checksum, 'content-length': String(length) } };
  }
  const layout = await layoutOf(request, gateway, stored, opened);
  const selected = selectedBytes(selection, layout);
  return {
    status: selected === undefined ? 200 : 206,
    headers: {
      ...headers,
      ...selectedHeaders(selected, selection, layout),
      ...(await selectedChecksum(request, gateway, stored, opened, { selection, layout })),
    },
  };
}
