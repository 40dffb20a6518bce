/** What a store was found to do with conditions of writes is believed of buckets that keep versions alike, and of no others. */
import { randomBytes } from 'node:crypto';
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteObjectsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import type { GatewayContext } from '../../../src/s3/operation.ts';
import { BackendKnowledge } from '../../../src/s3/sealing/backend-knowledge.ts';
import { sendingBy, type UpstreamRequest, type UpstreamResponse } from '../../../src/s3/upstream/client.ts';
import { WholeBody } from '../../../src/s3/upstream/upstream-body.ts';
import { hookUpstream } from '../../support/s3/hooked-upstream.ts';
import { sealedOnRadosgw } from '../../support/s3/in-front-of.ts';
import { BUCKET } from '../../support/s3/sealed.ts';

const VERSIONED = 'versioned';
const sealed = sealedOnRadosgw(async ({ direct }) => {
  await direct.send(new CreateBucketCommand({ Bucket: VERSIONED }));
  await setVersions(VERSIONED, 'Enabled', direct);
});

const setVersions = (Bucket: string, Status: 'Enabled' | 'Suspended', by = sealed.setup.direct) =>
  by.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } }));

type Send = (request: UpstreamRequest) => Promise<UpstreamResponse>;

/** The first gateway with knowledge of its own, a clock that is set by hand, and this in between. */
function told(between: (request: UpstreamRequest, send: Send) => Promise<UpstreamResponse>) {
  const { gateway } = sealed.setup.edges[0];
  const clock = { now: 0 };
  const send: Send = (request) => gateway.upstream.send(request);
  const upstream = sendingBy(gateway.upstream, (request) => between(request, send));
  const context: GatewayContext = { ...gateway, random: randomBytes, now: () => clock.now, upstream };
  return { clock, context, knowledge: new BackendKnowledge(30_000) };
}

const asksVersioning = ({ method, query }: UpstreamRequest): boolean =>
  method === 'GET' && query?.has('versioning') === true;

const answer = (status: number, body = ''): Promise<UpstreamResponse> =>
  Promise.resolve({ status, headers: {}, body: new WholeBody(Buffer.from(body)) });

test('a probe that broke off is not made up for in a bucket of another kind', async () => {
  let isDown = true;
  const { clock, context, knowledge } = told((request, send) =>
    isDown && request.method === 'POST' ? Promise.reject(new Error('reset')) : send(request),
  );
  expect(await knowledge.learnConditions(context, { bucket: VERSIONED })).toBe(undefined);
  isDown = false;
  clock.now += 60_000;
  expect(await knowledge.learn(context, BUCKET)).toMatchObject({ multipart: true, conditionalWrites: true });
  expect(await knowledge.learnConditions(context, { bucket: VERSIONED })).toMatchObject({ conditionalWrites: false });
  expect(await knowledge.learnConditions(context, { bucket: BUCKET })).toMatchObject({ conditionalWrites: true });
});

test('what is true of all buckets is known of whichever was tried', async () => {
  const asked: string[] = [];
  const { context, knowledge } = told((request, send) => {
    asked.push(request.bucket ?? '');
    return send(request);
  });
  expect(await knowledge.learnConditions(context, { bucket: VERSIONED })).toMatchObject({ conditionalWrites: false });
  asked.length = 0;
  expect(await knowledge.learn(context, BUCKET)).toMatchObject({ multipart: true });
  expect(asked).toEqual([]);
});

test('what was found first of a store stays, whatever a later probe in another kind of bucket meets', async () => {
  let isBusy = false;
  const { context, knowledge } = told((request, send) =>
    isBusy && request.method === 'POST' && request.query?.has('uploads') === true
      ? answer(429, '<Error><Code>TooManyRequests</Code></Error>')
      : send(request),
  );
  const first = await knowledge.learn(context, BUCKET);
  expect(first).toMatchObject({ multipart: true, listsParts: true });
  isBusy = true;
  await knowledge.learnConditions(context, { bucket: VERSIONED });
  expect(await knowledge.learn(context, BUCKET)).toEqual(first);
});

test.each([
  [429, 'TooManyRequests'],
  [400, 'RequestTimeout'],
])('a store that refuses the probe for a moment (%i %s) is tried again', async (status, code) => {
  let isBusy = true;
  const { clock, context, knowledge } = told((request, send) =>
    isBusy && request.method === 'POST' ? answer(status, `<Error><Code>${code}</Code></Error>`) : send(request),
  );
  expect(await knowledge.learn(context, BUCKET)).toBe(undefined);
  isBusy = false;
  clock.now += 60_000;
  expect(await knowledge.learn(context, BUCKET)).toMatchObject({ multipart: true });
});

test('whichever request of a probe meets a store that is busy for a moment, what is found then is the same', async () => {
  let [busyAt, seen] = [Infinity, 0];
  const { clock, context } = told((request, send) =>
    (seen += 1) === busyAt ? answer(503, '<Error><Code>SlowDown</Code></Error>') : send(request),
  );
  const found = await new BackendKnowledge(30_000).learn(context, BUCKET);
  const requests = seen;
  expect(found).toMatchObject({ multipart: true, listsParts: true, conditionalWrites: true });
  for (busyAt = 1; busyAt <= requests; busyAt += busyAt < 6 ? 1 : 7) {
    seen = 0;
    const knowledge = new BackendKnowledge(30_000);
    await knowledge.learn(context, BUCKET);
    seen = Infinity;
    clock.now += 60_000;
    expect([busyAt, await knowledge.learn(context, BUCKET)]).toEqual([busyAt, found]);
  }
});

test.each([
  [400, 'InvalidRequest'],
  [501, ''],
])('a store that knows no uploads (%i %s) has none', async (status, code) => {
  const { context, knowledge } = told((request, send) =>
    request.method === 'POST' ? answer(status, `<Error><Code>${code}</Code></Error>`) : send(request),
  );
  expect(await knowledge.learn(context, BUCKET)).toMatchObject({ multipart: false });
});

test('a store that hangs when it is asked once more is not waited for without end', async () => {
  const { gateway } = sealed.setup.edges[0];
  let questions = 0;
  const upstream = sendingBy(gateway.upstream, (request) => {
    if (!asksVersioning(request)) return gateway.upstream.send(request);
    questions += 1;
    if (questions !== 2) return gateway.upstream.send(request);
    // It has to have a signal of its own: without one this would never end.
    return new Promise((_resolve, reject) => {
      request.signal?.addEventListener('abort', () => reject(request.signal?.reason as Error));
    });
  });
  const clock = { now: 0 };
  const context: GatewayContext = { ...gateway, random: randomBytes, now: () => clock.now, upstream };
  const knowledge = new BackendKnowledge(1500);
  expect(await knowledge.learnConditions(context, { bucket: BUCKET })).toBe(undefined);
  await expect
    .poll(
      () => {
        clock.now += 60_000;
        return knowledge.learnConditions(context, { bucket: BUCKET });
      },
      { timeout: 20_000, interval: 500 },
    )
    .toMatchObject({ conditionalWrites: true });
});

test('versions that are turned on while it is found out spoil what was found', async () => {
  let questions = 0;
  const { clock, context, knowledge } = told((request, send) => {
    if (!asksVersioning(request)) return send(request);
    questions += 1;
    return questions === 1 ? answer(200, '<VersioningConfiguration/>') : send(request);
  });
  expect(await knowledge.learnConditions(context, { bucket: VERSIONED })).toBe(undefined);
  clock.now += 60_000;
  expect(await knowledge.learnConditions(context, { bucket: VERSIONED })).toMatchObject({ conditionalWrites: false });
});

test.each([
  [404, ''],
  [405, ''],
  [501, ''],
  [501, '<Error><Code>VersioningNotConfigured</Code></Error>'],
  [200, '<VersioningConfiguration><Status/></VersioningConfiguration>'],
  [400, '<Error><Code>NotImplemented</Code></Error>'],
  [200, '<ListBucketResult/>'],
])('a store that answers %j %j when it is asked for versions has none', async (status, body) => {
  const { context, knowledge } = told((request, send) =>
    asksVersioning(request) ? answer(status, body) : send(request),
  );
  expect(await knowledge.learnConditions(context, { bucket: BUCKET })).toMatchObject({ conditionalWrites: true });
});

test.each([
  [429, '', 'InternalError'],
  [400, '<Error><Code>InvalidRequest</Code></Error>', 'InvalidRequest'],
  [503, '<Error><Code>SlowDown</Code></Error>', 'SlowDown'],
  [404, '<Error><Code>NoSuchBucket</Code></Error>', 'NoSuchBucket'],
  [403, '', 'NotImplemented'],
  [200, '<VersioningConfiguration><Status>Odd</Status></VersioningConfiguration>', 'InternalError'],
])('nothing is presumed of one that answers %j %j', async (status, body, s3Code) => {
  const { context, knowledge } = told((request, send) =>
    asksVersioning(request) ? answer(status, body) : send(request),
  );
  await expect(knowledge.learnConditions(context, { bucket: BUCKET })).rejects.toMatchObject({ s3Code });
});

const put = (Key: string, more: object = {}) =>
  sealed.setup.clients[0].send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: 'x', ...more }));

test('a write on a condition is refused with the right that is missing, and looked for where that was asked', async () => {
  const { gateway } = sealed.setup.edges[0];
  using _untold = hookUpstream(gateway, (request, send) => (asksVersioning(request) ? answer(403) : send(request)));
  await expect(put('untold', { IfNoneMatch: '*' })).rejects.toMatchObject({
    name: 'NotImplemented',
    message: expect.stringContaining('s3:GetBucketVersioning') as unknown,
  });
  const { options } = gateway;
  Object.assign(gateway, { options: { ...options, emulateConditions: true } });
  try {
    await put('untold', { IfNoneMatch: '*' });
    await expect(put('untold', { IfNoneMatch: '*' })).rejects.toMatchObject({ name: 'PreconditionFailed' });
  } finally {
    Object.assign(gateway, { options });
  }
});

test('the rows of one request are one question', async () => {
  let questions = 0;
  using _counting = hookUpstream(sealed.setup.edges[0].gateway, (request, send) => {
    if (asksVersioning(request)) questions += 1;
    return send(request);
  });
  const Objects = ['a', 'b', 'c'].map((Key) => ({ Key, ETag: '"x"' }));
  const deletion = new DeleteObjectsCommand({ Bucket: BUCKET, Delete: { Objects } });
  const { Errors = [] } = await sealed.setup.clients[0].send(deletion);
  expect(Errors.map(({ Code }) => Code)).toEqual(['NotImplemented', 'NotImplemented', 'NotImplemented']);
  // And one more where it is found out there for the first time.
  expect(questions).toBeLessThanOrEqual(2);
});

test('a copy that tries to keep its ciphertext, and is streamed, is one question', async () => {
  await put('from');
  await put('known', { IfNoneMatch: '*' });
  let questions = 0;
  using _counting = hookUpstream(sealed.setup.edges[0].gateway, (request, send) => {
    if (asksVersioning(request)) questions += 1;
    return send(request);
  });
  const copy = new CopyObjectCommand({ Bucket: BUCKET, Key: 'to', CopySource: `${BUCKET}/from`, IfNoneMatch: '*' });
  await sealed.setup.clients[0].send(copy);
  expect(questions).toBe(1);
  await expect(sealed.setup.clients[0].send(copy)).rejects.toMatchObject({ name: 'PreconditionFailed' });
});
