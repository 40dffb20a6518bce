import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { expect, test } from 'vitest';
import { deriveSigningKey } from '../../sigv4/signing-key.ts';
import { planBody } from './body-plan.ts';
import { sourceOf } from './byte-source.ts';
import { VerifyingBody } from './verifying-body.ts';

const SCOPE = { date: '20261124', region: 'us-east-1', service: 's3' };
const READ_BYTES = 64 * 1024;
const data = randomBytes(300_000);

function framed(): Buffer {
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(data));
  const chunks: Buffer[] = [];
  for (let at = 0; at < data.length; at += 10_000) {
    const chunk = data.subarray(at, at + 10_000);
    chunks.push(Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n'));
  }
  return Buffer.concat([...chunks, Buffer.from(`0\r\nx-amz-checksum-crc32:${checksum.toString('base64')}\r\n\r\n`)]);
}

const FORMS = {
  plain: { body: data, headers: { 'content-length': String(data.length) }, payloadHash: 'UNSIGNED-PAYLOAD' },
  framed: {
    body: framed(),
    headers: { 'x-amz-decoded-content-length': String(data.length), 'x-amz-trailer': 'x-amz-checksum-crc32' },
    payloadHash: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
  },
};

function reader(form: keyof typeof FORMS): { body: VerifyingBody; reads: Uint8Array[] } {
  const { body, headers, payloadHash } = FORMS[form];
  const reads: Uint8Array[] = [];
  for (let at = 0; at < body.length; at += READ_BYTES) reads.push(Uint8Array.from(body.subarray(at, at + READ_BYTES)));
  const seed = {
    signature: 'a'.repeat(64),
    signingKey: deriveSigningKey('secret', SCOPE),
    scope: SCOPE,
    timestamp: '20261124T000000Z',
    payloadHash,
  };
  return { body: new VerifyingBody(sourceOf(reads), planBody(headers, seed, 'PutObject')), reads };
}

test.each(['plain', 'framed'] as const)('lent pieces of a %s body are whole while they are taken', async (form) => {
  const { body, reads } = reader(form);
  const copies: Uint8Array[] = [];
  await body.lend((pieces) => {
    copies.push(Buffer.concat(pieces));
    return undefined;
  });
  expect(Buffer.concat(copies).equals(data)).toBe(true);
  // The last read may have held nothing but the trailer.
  expect(reads.filter((read) => read.length === READ_BYTES)).toEqual([]);
});

test.each(['plain', 'framed'] as const)(
  'pieces of a %s body that are not lent stay whole, and share no memory',
  async (form) => {
    const { body } = reader(form);
    const pieces: Uint8Array[] = [];
    await body.pour((taken) => {
      pieces.push(...taken);
      return undefined;
    });
    expect(Buffer.concat(pieces).equals(data)).toBe(true);
    expect(new Set(pieces.map(({ buffer }) => buffer)).size).toBe(pieces.length);
    expect(pieces.slice(0, -1).every(({ buffer, length }) => buffer.byteLength === length)).toBe(true);
  },
);
