import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { newObject, random } from '../../../test/support/object-fixtures.ts';
import { BodySealer } from '../../envelope/object/body-sealer.ts';
import { deriveSigningKey } from '../../sigv4/signing-key.ts';
import { planBody } from '../bodies/body-plan.ts';
import { sourceOf } from '../bodies/byte-source.ts';
import { VerifyingBody } from '../bodies/verifying-body.ts';
import { sealedPayload } from './sealed-body.ts';

const SCOPE = { date: '20261124', region: 'us-east-1', service: 's3' };
const LENGTH = 400_000;

// 16 KiB: what TLS gives at once, and short enough for Node's pool. What shares a pool cannot be freed when it is sent.
test.each([16 * 1024, 64 * 1024, 1000])(
  'sealed pieces of reads of %i bytes lie in memory of their own',
  async (size) => {
    const data = randomBytes(LENGTH);
    const reads: Uint8Array[] = [];
    for (let at = 0; at < LENGTH; at += size) reads.push(Uint8Array.from(data.subarray(at, at + size)));
    const seed = {
      signature: 'a'.repeat(64),
      signingKey: deriveSigningKey('secret', SCOPE),
      scope: SCOPE,
      timestamp: '20261124T000000Z',
      payloadHash: 'UNSIGNED-PAYLOAD',
    };
    const body = new VerifyingBody(sourceOf(reads), planBody({ 'content-length': String(LENGTH) }, seed, 'PutObject'));
    const sealer = new BodySealer({ ...newObject(), partNumber: 0, plainLength: LENGTH, final: true }, random);
    const payload = await sealedPayload(body, sealer);
    const pieces: Uint8Array[] = [];
    if (payload.body instanceof Uint8Array) throw new Error('a long body streams');
    await payload.body.pour((given) => {
      pieces.push(...given);
      return undefined;
    });
    expect(pieces.reduce((sum, piece) => sum + piece.length, 0)).toBe(payload.contentLength);
    expect(pieces.filter(({ buffer, length }) => buffer.byteLength !== length)).toEqual([]);
  },
);
