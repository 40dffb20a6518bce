/**
 * A store that lies about open uploads and in its lists, or does other than it says: refused by one code, or the object it makes does not open;
 * in no case other bytes. What remains is in docs/SECURITY.md.
 */
import { randomBytes } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
  type CompletedPart,
} from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { PART_OVERHEAD } from '../../../src/envelope/object/sizes.ts';
import type { UpstreamRequest, UpstreamResponse } from '../../../src/s3/upstream/client.ts';
import { WholeBody } from '../../../src/s3/upstream/upstream-body.ts';
import { hookUpstream } from '../../support/s3/hooked-upstream.ts';
import { BUCKET } from '../../support/s3/sealed.ts';
import { sealedOnRadosgw } from '../../support/s3/in-front-of.ts';

const MIB = 1024 * 1024;

const ceph = sealedOnRadosgw();

/** 1: taken it all; 0: knows nothing of the parts that the other took. */
type By = 0 | 1;
type Upload = {
  readonly place: { readonly Bucket: string; readonly Key: string };
  readonly UploadId: string | undefined;
  readonly parts: readonly CompletedPart[];
  readonly whole: Buffer;
};

/** Two long parts and a short one, taken by gateway 1. */
async function upload(Key: string): Promise<Upload> {
  const place = { Bucket: BUCKET, Key };
  const { UploadId } = await ceph.setup.clients[1].send(new CreateMultipartUploadCommand(place));
  const bodies = [randomBytes(5 * MIB), randomBytes(5 * MIB + 7), randomBytes(1000)];
  const parts: CompletedPart[] = [];
  for (const [index, Body] of bodies.entries()) {
    const PartNumber = index + 1;
    const { ETag } = await ceph.setup.clients[1].send(new UploadPartCommand({ ...place, UploadId, PartNumber, Body }));
    parts.push({ PartNumber, ETag });
  }
  return { place, UploadId, parts, whole: Buffer.concat(bodies) };
}

type Change = (text: string) => string;

/** Documents of the store that answer `asked` come changed to gateway `by`. */
function lying(by: By, asked: (request: UpstreamRequest) => boolean, change: Change): Disposable {
  return hookUpstream(ceph.setup.edges[by].gateway, async (request, send) => {
    const response = await send(request);
    return asked(request) && response.status === 200 ? changed(response, change) : response;
  });
}

async function changed(response: UpstreamResponse, change: Change): Promise<UpstreamResponse> {
  return { ...response, body: new WholeBody(Buffer.from(change(await response.body.text(MIB)))) };
}

const isListParts = ({ method, query }: UpstreamRequest): boolean =>
  method === 'GET' && query?.has('uploadId') === true;
const isComplete = ({ method, query }: UpstreamRequest): boolean =>
  method === 'POST' && query?.has('uploadId') === true;
const isList = ({ method, key, query }: UpstreamRequest): boolean =>
  method === 'GET' && key === undefined && query?.has('uploads') !== true;

const PART = /<Part>.*?<\/Part>/gsu;
const ETAG = /<ETag>[^<]*<\/ETag>/u;
const sized = (text: string, by: number): string =>
  text.replace(/<Size>(\d+)<\/Size>/gu, (_all, size: string) => `<Size>${Number(size) + by}</Size>`);
function swapped(text: string): string {
  const [first = '', second = ''] = text.match(PART) ?? [];
  const [one = '', two = ''] = [ETAG.exec(first)?.[0], ETAG.exec(second)?.[0]];
  return text.replace(first, first.replace(one, two)).replace(second, second.replace(two, one));
}

/** The code with which completing by this gateway ends, or `completed`. */
async function completing({ place, UploadId, parts }: Upload, by: By): Promise<string | undefined> {
  const { outcomes } = ceph.setup.edges[by];
  outcomes.length = 0;
  const command = new CompleteMultipartUploadCommand({ ...place, UploadId, MultipartUpload: { Parts: [...parts] } });
  const done = await ceph.setup.clients[by].send(command).then(
    () => true,
    () => false,
  );
  await expect.poll(() => outcomes.length).toBe(1);
  return done ? 'completed' : outcomes[0]?.code;
}

/** What a read of the whole ends with: `right`, or a code. Never other bytes. */
async function reading({ place, whole }: Upload): Promise<string | undefined> {
  const { outcomes } = ceph.setup.edges[0];
  outcomes.length = 0;
  const bytes = await ceph.setup.clients[0]
    .send(new GetObjectCommand(place))
    .then(async ({ Body }) => Buffer.from((await Body?.transformToByteArray()) ?? []))
    .catch(() => undefined);
  await expect.poll(() => outcomes.length).toBe(1);
  if (bytes === undefined) return outcomes[0]?.code;
  expect(bytes.equals(whole)).toBe(true);
  return 'right';
}

/** Which nobody sent. */
const PART_7 =
  '<Part><PartNumber>7</PartNumber><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>"a"</ETag><Size>6000000</Size></Part>';

const LIES: readonly (readonly [what: string, change: Change, code: string])[] = [
  ['other sizes', (text) => sized(text, 1), 'ERR_S3_UPSTREAM_PROTOCOL'],
  ['smaller sizes', (text) => sized(text, -PART_OVERHEAD), 'ERR_S3_UPSTREAM_PROTOCOL'],
  ['no sizes', (text) => text.replace(/<Size>/gu, '<Size>x'), 'ERR_S3_UPSTREAM_PROTOCOL'],
  ['a part less', (text) => text.replace(PART.exec(text)?.[0] ?? '', ''), 'ERR_S3_INVALID_PART'],
  ['no parts', (text) => text.replace(PART, ''), 'ERR_S3_INVALID_PART'],
  ['each other’s ETags', swapped, 'ERR_S3_INVALID_PART'],
  // This store completes nothing that leaves a part out.
  ['a part more', (text) => text.replace('</ListPartsResult>', `${PART_7}</ListPartsResult>`), 'ERR_S3_INVALID_PART'],
  ['no list', () => '<Nothing/>', 'ERR_S3_UPSTREAM_PROTOCOL'],
];

test.each(LIES)('ListParts that tells %s completes nothing, and the upload goes on', async (_what, change, code) => {
  PART.lastIndex = 0;
  const made = await upload('lied');
  {
    using _lie = lying(1, isListParts, change);
    expect(await completing(made, 1)).toBe(code);
  }
  expect(await completing(made, 1)).toBe('completed');
  expect(await reading(made)).toBe('right');
});

test('a gateway that did not take the parts believes their sizes: then nothing opens, a residual risk', async () => {
  const made = await upload('believed');
  {
    using _lie = lying(0, isListParts, (text) => sized(text, 1));
    expect(await completing(made, 0)).toBe('completed');
  }
  expect(await reading(made)).toBe('ERR_S3_SEALED_OBJECT_INVALID');
});

test('what ListParts tells a client is the store’s word, and an end', async () => {
  const { place, UploadId, parts } = await upload('listed');
  using _lie = lying(1, isListParts, (text) => text.replace('>false</IsTruncated>', '>true</IsTruncated>'));
  let marker: string | undefined;
  const seen: unknown[] = [];
  for (let pages = 0; pages < 5; pages += 1) {
    const command = new ListPartsCommand({ ...place, UploadId, PartNumberMarker: marker });
    const page = await ceph.setup.clients[1].send(command);
    seen.push(...(page.Parts ?? []).map(({ PartNumber }) => PartNumber));
    if (page.IsTruncated !== true) break;
    marker = page.NextPartNumberMarker;
  }
  expect(seen).toEqual(parts.map(({ PartNumber }) => PartNumber));
});

test('success that a store tells without having completed gives nobody other bytes', async () => {
  const made = await upload('not-done');
  {
    using _idle = hookUpstream(ceph.setup.edges[1].gateway, async (request, send) => {
      if (!isComplete(request)) return send(request);
      const told =
        '<CompleteMultipartUploadResult><ETag>"0123456789abcdef0123456789abcdef-3"</ETag></CompleteMultipartUploadResult>';
      return { status: 200, headers: {}, body: new WholeBody(Buffer.from(told)) };
    });
    expect(await completing(made, 1)).toBe('completed');
  }
  expect(await reading(made)).not.toBe('right');
});

test('forged sizes in a listing are shown as far as they can be, and every read is right all the same', async () => {
  const place = { Bucket: BUCKET, Key: 'row' };
  const whole = randomBytes(70_000);
  await ceph.setup.clients[0].send(new PutObjectCommand({ ...place, Body: whole }));
  for (const size of ['0', '5', '70297', '999999999999999']) {
    using _lie = lying(0, isList, (text) => text.replace(/<Size>\d+/gu, `<Size>${size}`));
    const { Contents } = await ceph.setup.clients[0].send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: 'row' }));
    expect(Contents?.map(({ Key, Size }) => [Key, Number.isSafeInteger(Size)])).toEqual([['row', true]]);
  }
  for (const size of ['-1', 'x', '1e400']) {
    using _lie = lying(0, isList, (text) => text.replace(/<Size>\d+/gu, `<Size>${size}`));
    await expect(ceph.setup.clients[0].send(new ListObjectsV2Command({ Bucket: BUCKET }))).rejects.toMatchObject({
      name: 'InternalError',
    });
    expect(ceph.setup.edges[0].outcomes.at(-1)?.code).toBe('ERR_S3_UPSTREAM_PROTOCOL');
  }
  expect(await reading({ place, UploadId: undefined, parts: [], whole })).toBe('right');
});

test('a list that begins again and again does not hold the gateway', async () => {
  const { place, UploadId } = await upload('endless');
  {
    let first = '';
    using _lie = lying(1, isList, (text) => {
      first ||= text.replace('>false</IsTruncated>', '>true</IsTruncated>');
      return first;
    });
    const abort = new AbortMultipartUploadCommand({ ...place, UploadId });
    await expect(ceph.setup.clients[1].send(abort)).rejects.toMatchObject({ name: 'InternalError' });
    expect(ceph.setup.edges[1].outcomes.at(-1)?.code).toBe('ERR_S3_UPSTREAM_PROTOCOL');
  }
  await ceph.setup.clients[1].send(new AbortMultipartUploadCommand({ ...place, UploadId }));
});
