/**
 * GetObject on a sealed key. Whole: one read of the backend, and of a multipart object's tail. A range: one where the object's layout is remembered or the range lies in
 * its first 64 KiB, else two. Either: one more for the tail of a multipart object seen for the first time.
 */
import type { BodyRecord } from '../../envelope/object/record.ts';
import { S3Error } from '../errors.ts';
import { gather, sourceOf, type ByteSource } from '../bodies/byte-source.ts';
import { refuseHiddenKey } from '../listing/hidden-names.ts';
import type { GatewayContext, S3Operation, S3Request, S3Response } from '../operation.ts';
import { sendRead } from '../sealing/conditional-read.ts';
import { checkReadConditions } from '../sealing/conditions.ts';
import { openEnvelope, type OpenedEnvelope } from '../sealing/envelope-headers.ts';
import { ObjectChanged, storedAnswer, type StoredAnswer } from '../sealing/fetch-stored.ts';
import { FIRST_READ_BYTES, MAX_BUFFERED_BYTES } from '../sealing/limits.ts';
import { forgetLayout, knownLayout, layoutOf, type ObjectLayout } from '../sealing/object-layout.ts';
import { ensurePrefix, fetchPlanned, openRange, planStored, roomForRange } from '../sealing/read-range.ts';
import { openWhole, roomForWhole, wholeObject } from '../sealing/read-whole.ts';
import { overriddenHeaders, readHeaders } from '../sealing/response-headers.ts';
import {
  isNothing,
  selectedBytes,
  selectedHeaders,
  selectionOf,
  withIfRange,
  type Selection,
} from '../sealing/selection.ts';
import { recordHeaders, selectedChecksum, wholeChecksum } from '../sealing/stored-checksum.ts';
import { forgetPlain } from '../plain/known-plain.ts';
import { isStillPlain } from '../plain/plain-mode.ts';
import { readKnownPlain, readPlainSelection, readPlainWhole } from '../plain/read-plain.ts';
import { checkReadEncryption } from '../sse/given-key.ts';
import type { UpstreamResponse } from '../upstream/client.ts';

/** How often an object may be replaced under a read before the client is told to try again. */
const MAX_TRIES = 3;

export const getObject: S3Operation = {
  name: 'GetObject',
  async handle(request, gateway) {
    refuseHiddenKey(request.key);
    checkReadEncryption(request, gateway);
    const selection = selectionOf(request);
    for (let tries = 1; ; tries += 1) {
      try {
        return await read(request, gateway, selection);
      } catch (error) {
        if (isStale(error)) forget(request, gateway);
        if (!(error instanceof ObjectChanged) || tries === MAX_TRIES) throw error;
      }
    }
  },
};

const isStale = (error: unknown): boolean =>
  error instanceof ObjectChanged || (error instanceof S3Error && error.code === 'ERR_S3_SEALED_OBJECT_INVALID');

function forget(request: S3Request, gateway: GatewayContext): void {
  forgetLayout(request, gateway);
  forgetPlain(request, gateway);
}

async function read(request: S3Request, gateway: GatewayContext, selection: Selection): Promise<S3Response> {
  if (selection.type === 'whole') return readWhole(request, gateway);
  const plain = await readKnownPlain(request, gateway, selection);
  if (plain !== undefined) return plain;
  const layout = request.headers['if-range'] === undefined ? knownLayout(request, gateway) : undefined;
  return layout === undefined
    ? readUnknown(request, gateway, selection)
    : readKnown(request, gateway, selection, layout);
}

async function readWhole(request: S3Request, gateway: GatewayContext): Promise<S3Response> {
  const response = await sendRead(request, gateway, 'GET');
  return releasingOnError(response, async () => {
    const stored = storedAnswer(request.key, response);
    checkReadConditions(request.headers, response.headers);
    if (isStillPlain(request, gateway, response.headers)) return readPlainWhole(request, gateway, response);
    const opened = await openEnvelope(request, gateway, response.headers);
    const whole = await wholeObject(request, gateway, stored, opened);
    // The record of a short object is at hand once it was proven.
    const isAtHand = opened.envelope.layout === 'single' && whole.length <= MAX_BUFFERED_BYTES;
    const fetched = isAtHand ? {} : await wholeChecksum(request, gateway, stored, opened);
    const room = await roomForWhole(request, gateway, opened, whole);
    let record: BodyRecord | undefined;
    const opening = openWhole(response.body, opened, whole, room, (proven) => (record = proven.record));
    const body = await provenIfShort(forgettingStale(opening, request, gateway), whole.length);
    return {
      status: 200,
      headers: {
        ...answerHeaders(request, response, opened),
        ...fetched,
        ...recordHeaders(request, opened, isAtHand ? record : undefined),
        'content-length': String(whole.length),
      },
      body,
    };
  });
}

/**
 * What is short is proven before anything is answered: what is wrong with it is an error the client can read, and no truncated answer. (Of
 * an empty object there is no last piece to withhold: it must be.) It also saves the stream.
 */
async function provenIfShort(body: ByteSource, length: number): Promise<Uint8Array | ByteSource> {
  return length > MAX_BUFFERED_BYTES ? body : gather(body);
}

/** One pinned read. What was remembered is confirmed by the ETag of the answer. */
async function readKnown(
  request: S3Request,
  gateway: GatewayContext,
  selection: Selection,
  layout: ObjectLayout,
): Promise<S3Response> {
  const selected = selectedWithin(selection, layout);
  if (selected === undefined || isNothing(selected)) return readUnknown(request, gateway, selection);
  const stored = { key: request.key, versionId: request.query.get('versionId'), ...layout };
  const plan = planStored(layout, selected);
  await ensurePrefix(request, gateway, stored, layout, plan);
  const response = await fetchPlanned(request, gateway, stored, plan);
  return releasingOnError(response, async () => {
    checkReadConditions(request.headers, response.headers);
    const opened = await openEnvelope(request, gateway, response.headers);
    const whole = { ...storedAnswer(request.key, response), storedSize: layout.storedSize };
    const checksum = await selectedChecksum(request, gateway, whole, opened, { selection, layout });
    const room = await roomForRange(request, gateway, layout, plan);
    return {
      status: 206,
      headers: {
        ...answerHeaders(request, response, opened),
        ...selectedHeaders(selected, selection, layout),
        ...checksum,
      },
      body: await provenIfShort(
        forgettingStale(openRange(response.body, layout, plan, opened.key, room), request, gateway),
        selected.to - selected.from + 1,
      ),
    };
  });
}

/** Undefined where what is remembered cannot answer: the object itself has the last word on what is out of range. */
function selectedWithin(selection: Selection, layout: ObjectLayout): ReturnType<typeof selectedBytes> {
  try {
    return selectedBytes(selection, layout);
  } catch {
    return undefined;
  }
}

/** Reads the beginning first: envelope, header, and often all that was asked for. */
async function readUnknown(request: S3Request, gateway: GatewayContext, asked: Selection): Promise<S3Response> {
  const response = await sendRead(request, gateway, 'GET', { range: `bytes=0-${FIRST_READ_BYTES - 1}` });
  const { isPlain, selection, head } = await releasingOnError(response, async () => {
    checkReadConditions(request.headers, response.headers);
    return {
      isPlain: isStillPlain(request, gateway, response.headers),
      selection: withIfRange(asked, request.headers, response.headers),
      head: response.status === 206 ? await response.body.bytes(FIRST_READ_BYTES) : undefined,
    };
  });
  // A backend that ignored the range is still sending all of it.
  if (head === undefined) await response.body.release();
  if (selection.type === 'whole') return readWhole(request, gateway);
  if (isPlain) return readPlainSelection(request, gateway, { response, beginning: head }, selection);
  const stored = storedAnswer(request.key, response);
  const opened = await openEnvelope(request, gateway, response.headers);
  const layout = await layoutOf(request, gateway, stored, opened);
  const selected = selectedBytes(selection, layout);
  if (selected === undefined) return readWhole(request, gateway);
  const headers = {
    ...answerHeaders(request, response, opened),
    ...selectedHeaders(selected, selection, layout),
    ...(await selectedChecksum(request, gateway, stored, opened, { selection, layout })),
  };
  if (isNothing(selected)) return { status: 206, headers, body: new Uint8Array(0) };
  const plan = planStored(layout, selected);
  const isAtHand = head !== undefined && plan.storedTo < head.length;
  const source = isAtHand
    ? sourceOf([head.subarray(plan.storedFrom, plan.storedTo + 1)])
    : await fetchRest(request, gateway, stored, layout, plan);
  const room = await roomForRange(request, gateway, layout, plan);
  return {
    status: 206,
    headers,
    body: await provenIfShort(
      forgettingStale(openRange(source, layout, plan, opened.key, room), request, gateway),
      selected.to - selected.from + 1,
    ),
  };
}

async function fetchRest(
  request: S3Request,
  gateway: GatewayContext,
  stored: StoredAnswer,
  layout: ObjectLayout,
  plan: ReturnType<typeof planStored>,
): Promise<ByteSource> {
  await ensurePrefix(request, gateway, stored, layout, plan);
  return (await fetchPlanned(request, gateway, stored, plan)).body;
}

const answerHeaders = (
  request: S3Request,
  response: UpstreamResponse,
  opened: OpenedEnvelope,
): S3Response['headers'] => ({
  ...readHeaders(response.headers, opened, request),
  ...overriddenHeaders(request.query),
});

async function releasingOnError<T>(response: UpstreamResponse, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await response.body.release();
    throw error;
  }
}

/** What did not open is not remembered: neither its layout nor the headers of its parts. (A client that leaves says nothing of the object.) */
const forgettingStale = (body: ByteSource, request: S3Request, gateway: GatewayContext): ByteSource => ({
  pour: (take) =>
    body.pour(take).catch((error: unknown) => {
      if (isStale(error)) forget(request, gateway);
      throw error;
    }),
});
