import { createHash, createHmac, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { deriveSigningKey } from '../../sigv4/signing-key.ts';
import type { S3Headers } from '../operation.ts';
import { planBody } from './body-plan.ts';
import { gather, sourceOf } from './byte-source.ts';
import { VerifyingBody } from './verifying-body.ts';

const SCOPE = { date: '20261124', region: 'us-east-1', service: 's3' };
const SECRET = 'secret';
const TIMESTAMP = '20261124T000000Z';
const SEED = 'a'.repeat(64);

const sha256 = (data: Uint8Array | string): string => createHash('sha256').update(data).digest('hex');
const base64Crc = (data: Uint8Array): string => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(data));
  return bytes.toString('base64');
};

/** An independent, naive encoder of aws-chunked, written from the manual. */
function encodeChunked(
  data: Uint8Array,
  chunkBytes: number,
  signed: boolean,
  trailer?: readonly [string, string],
  lineEnd = '\r\n',
): Buffer {
  let key: Buffer = createHmac('sha256', `AWS4${SECRET}`).update(SCOPE.date).digest();
  for (const step of [SCOPE.region, SCOPE.service, 'aws4_request'])
    key = createHmac('sha256', key).update(step).digest();
  const place = `${TIMESTAMP}\n${SCOPE.date}/${SCOPE.region}/${SCOPE.service}/aws4_request`;
  let previous = SEED;
  const out: Buffer[] = [];
  for (let at = 0; at <= data.length; at += chunkBytes) {
    const chunk = data.subarray(at, at + chunkBytes);
    const last = chunk.length === 0 || at + chunkBytes > data.length;
    for (const part of last && chunk.length > 0 ? [chunk, new Uint8Array(0)] : [chunk]) {
      previous = createHmac('sha256', key)
        .update(`AWS4-HMAC-SHA256-PAYLOAD\n${place}\n${previous}\n${sha256('')}\n${sha256(part)}`)
        .digest('hex');
      out.push(Buffer.from(`${part.length.toString(16)}${signed ? `;chunk-signature=${previous}` : ''}\r\n`));
      if (part.length > 0) out.push(Buffer.from(part), Buffer.from('\r\n'));
    }
    if (last) break;
  }
  if (trailer !== undefined) {
    out.push(Buffer.from(`${trailer.join(':')}${lineEnd}`));
    if (signed) {
      const signature = createHmac('sha256', key)
        .update(`AWS4-HMAC-SHA256-TRAILER\n${place}\n${previous}\n${sha256(`${trailer.join(':')}\n`)}`)
        .digest('hex');
      out.push(Buffer.from(`x-amz-trailer-signature:${signature}\r\n`));
    }
  }
  return Buffer.concat([...out, Buffer.from('\r\n')]);
}

function* pieces(body: Uint8Array, cuts: readonly number[]): Generator<Uint8Array> {
  let from = 0;
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    yield body.subarray(from, cut);
    from = cut;
  }
  yield body.subarray(from);
}

const SIGNED = {
  signature: SEED,
  signingKey: deriveSigningKey(SECRET, SCOPE),
  scope: SCOPE,
  timestamp: TIMESTAMP,
};

async function read(
  body: Uint8Array,
  headers: S3Headers,
  payloadHash: string,
  cuts: readonly number[] = [],
): Promise<Buffer> {
  const plan = planBody(headers, { ...SIGNED, payloadHash }, 'PutObject');
  const reader = new VerifyingBody(sourceOf(pieces(body, cuts)), plan);
  const out = Buffer.from(await gather(reader));
  await reader.verified;
  return out;
}

const codeOf = async (run: Promise<unknown>): Promise<unknown> =>
  run.then(
    () => undefined,
    (error: unknown) => (error as { code?: unknown }).code,
  );

const data = randomBytes(23);
const decoded = { 'x-amz-decoded-content-length': String(data.length) };
const crcTrailer = ['x-amz-checksum-crc32', base64Crc(data)] as const;
const withTrailer = { ...decoded, 'x-amz-trailer': 'x-amz-checksum-crc32' };

const FORMS = {
  plain: {
    body: data,
    headers: { 'content-length': '23', 'content-md5': createHash('md5').update(data).digest('base64') },
    hash: sha256(data),
  },
  'unsigned trailer': {
    body: encodeChunked(data, 9, false, crcTrailer),
    headers: withTrailer,
    hash: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
  },
  'signed chunks': { body: encodeChunked(data, 9, true), headers: decoded, hash: 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD' },
  'signed chunks and trailer': {
    body: encodeChunked(data, 9, true, crcTrailer),
    headers: withTrailer,
    hash: 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
  },
  'signed trailer with LF CR LF': {
    body: encodeChunked(data, 9, true, crcTrailer, '\n\r\n'),
    headers: withTrailer,
    hash: 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
  },
} as const;

describe.each(Object.entries(FORMS))('a body in form "%s"', (name, form) => {
  test('decodes the same at every split, and byte by byte', async () => {
    for (let cut = 0; cut <= form.body.length; cut += 1)
      expect(await read(form.body, form.headers, form.hash, [cut])).toEqual(data);
    const all = Array.from({ length: form.body.length }, (_, index) => index);
    expect(await read(form.body, form.headers, form.hash, all)).toEqual(data);
  });

  test('fails at every truncation', async () => {
    // A trailer whose last empty line is missing is complete; everything shorter is not.
    const whole = name === 'plain' ? form.body.length : form.body.length - 2;
    for (let end = 0; end < whole; end += 1) {
      expect(await codeOf(read(form.body.subarray(0, end), form.headers, form.hash)), `cut at ${end}`).toMatch(
        /^ERR_S3_/u,
      );
    }
  });

  test('fails when any data byte is changed', async () => {
    const at = form.body.indexOf(data.subarray(0, 9));
    const changed = Buffer.from(form.body);
    changed[at + 3] = (changed[at + 3] ?? 0) ^ 1;
    expect(await codeOf(read(changed, form.headers, form.hash))).toMatch(
      /^ERR_S3_(BAD_DIGEST|CONTENT_SHA256_MISMATCH|SIGNATURE_DOES_NOT_MATCH)$/u,
    );
  });
});

describe('a body is refused', () => {
  test('when its length is not the announced one', async () => {
    const { body, hash } = FORMS['unsigned trailer'];
    for (const length of ['22', '24']) {
      expect(await codeOf(read(body, { ...withTrailer, 'x-amz-decoded-content-length': length }, hash))).toBe(
        'ERR_S3_INCOMPLETE_BODY',
      );
    }
    expect(await codeOf(read(body, { 'x-amz-trailer': 'x-amz-checksum-crc32' }, hash))).toBe(
      'ERR_S3_MISSING_CONTENT_LENGTH',
    );
    expect(await codeOf(read(data, { 'transfer-encoding': 'chunked' }, 'UNSIGNED-PAYLOAD'))).toBe(
      'ERR_S3_MISSING_CONTENT_LENGTH',
    );
  });

  test('when a chunk header is endless, malformed, signed where it must not be, or the other way', async () => {
    const bad = [
      'f'.repeat(10_000),
      'g\r\n',
      '-1\r\n',
      '9;chunk-signature=zz\r\n',
      '\r\n',
      '9\n123456789\r\n',
      `${'f'.repeat(14)}\r\n`,
      `9;chunk-signature=${SEED}\r\n`,
    ];
    for (const text of bad)
      expect(
        await codeOf(read(Buffer.from(text), withTrailer, 'STREAMING-UNSIGNED-PAYLOAD-TRAILER')),
        text.slice(0, 30),
      ).toBe('ERR_S3_MALFORMED_CHUNK');
    expect(await codeOf(read(encodeChunked(data, 9, false), decoded, 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD'))).toBe(
      'ERR_S3_MALFORMED_CHUNK',
    );
  });

  test('when the trailer is endless, missing, another one, or wrong', async () => {
    const hash = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER';
    const chunks = encodeChunked(data, 9, false);
    expect(await codeOf(read(Buffer.concat([chunks, Buffer.alloc(100_000, 97)]), withTrailer, hash))).toBe(
      'ERR_S3_MALFORMED_TRAILER',
    );
    expect(await codeOf(read(chunks, withTrailer, hash))).toBe('ERR_S3_MALFORMED_TRAILER');
    expect(await codeOf(read(encodeChunked(data, 9, false, ['x-amz-checksum-sha1', 'x']), withTrailer, hash))).toBe(
      'ERR_S3_MALFORMED_TRAILER',
    );
    expect(await codeOf(read(encodeChunked(data, 9, false, crcTrailer), decoded, hash))).toBe(
      'ERR_S3_MALFORMED_TRAILER',
    );
    expect(
      await codeOf(
        read(encodeChunked(data, 9, false, ['x-amz-checksum-crc32', base64Crc(randomBytes(5))]), withTrailer, hash),
      ),
    ).toBe('ERR_S3_BAD_DIGEST');
  });

  test('when the trailer signature is wrong or missing', async () => {
    const good = FORMS['signed chunks and trailer'];
    const at = good.body.indexOf('x-amz-trailer-signature:') + 30;
    const changed = Buffer.from(good.body);
    changed[at] = changed[at] === 0x61 ? 0x62 : 0x61;
    expect(await codeOf(read(changed, good.headers, good.hash))).toBe('ERR_S3_SIGNATURE_DOES_NOT_MATCH');
    const without = Buffer.from(good.body.toString('latin1').replace(/x-amz-trailer-signature:\w+\r\n/u, ''), 'latin1');
    expect(await codeOf(read(without, good.headers, good.hash))).toBe('ERR_S3_SIGNATURE_DOES_NOT_MATCH');
  });

  test('when headers about it contradict each other or cannot be verified', async () => {
    const bad: readonly S3Headers[] = [
      { 'x-amz-checksum-crc32': base64Crc(data), 'x-amz-checksum-sha1': 'x' },
      { 'x-amz-checksum-crc32': 'AAA' },
      { 'x-amz-checksum-unheard': 'AAAA' },
      { 'x-amz-checksum-crc32': base64Crc(data), 'x-amz-sdk-checksum-algorithm': 'SHA1' },
      { 'x-amz-trailer': 'x-amz-checksum-crc32' },
    ];
    for (const headers of bad)
      expect(await codeOf(read(data, { 'content-length': '23', ...headers }, 'UNSIGNED-PAYLOAD'))).toBe(
        'ERR_S3_INVALID_REQUEST',
      );
    expect(await codeOf(read(data, { 'content-length': '23', 'content-md5': 'x' }, 'UNSIGNED-PAYLOAD'))).toBe(
      'ERR_S3_INVALID_DIGEST',
    );
    expect(await codeOf(read(data, { 'content-length': '23' }, 'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD'))).toBe(
      'ERR_S3_INVALID_ARGUMENT',
    );
    expect(await codeOf(read(data, { 'content-length': '6000000000' }, 'UNSIGNED-PAYLOAD'))).toBe(
      'ERR_S3_ENTITY_TOO_LARGE',
    );
  });
});

test('an object or part without a length is refused, other requests have no body then', async () => {
  for (const operation of ['PutObject', 'UploadPart', 'CreateBucket', 'CopyObject'] as const) {
    const plan = async () => planBody({}, { ...SIGNED, payloadHash: 'UNSIGNED-PAYLOAD' }, operation).length;
    const carries = operation === 'PutObject' || operation === 'UploadPart';
    expect(await plan().catch((error: { code: string }) => error.code), operation).toBe(
      carries ? 'ERR_S3_MISSING_CONTENT_LENGTH' : 0,
    );
  }
});

test('any data in chunks of any size, split anywhere, decodes to itself', async () => {
  const arbitrary = fc.record({
    bytes: fc.uint8Array({ maxLength: 300 }),
    chunk: fc.integer({ min: 1, max: 200 }),
    cuts: fc.array(fc.nat(400), { maxLength: 6 }),
    signed: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(arbitrary, async ({ bytes, chunk, cuts, signed }) => {
      const body = encodeChunked(bytes, chunk, signed, ['x-amz-checksum-crc32', base64Crc(bytes)]);
      const hash = signed ? 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER' : 'STREAMING-UNSIGNED-PAYLOAD-TRAILER';
      const headers = { 'x-amz-decoded-content-length': String(bytes.length), 'x-amz-trailer': 'x-amz-checksum-crc32' };
      expect(
        await read(
          body,
          headers,
          hash,
          cuts.filter((cut) => cut <= body.length),
        ),
      ).toEqual(Buffer.from(bytes));
    }),
    { numRuns: 100 },
  );
});
