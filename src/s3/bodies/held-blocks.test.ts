import { createHash, randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { sourceOf } from './byte-source.ts';
import { holdWhole } from './held-blocks.ts';

/** In pieces of their own memory, of these lengths again and again. */
function cut(bytes: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const length = lengths[turn % lengths.length] ?? 1;
    pieces.push(Uint8Array.from(bytes.subarray(at, at + length)));
    at += length;
  }
  return pieces;
}

test.each([
  ['one piece', 200_000, [200_000]],
  ['pieces of a byte and of many', 300_001, [1, 70_000, 3, 65_536]],
  ['whole blocks', 2 * 65_536, [65_536]],
  ['bytes, one at a time', 70_000, [1]],
  ['nothing', 0, [1]],
] as const)(
  'A body that came as %s goes out as it was, with its digests, in few blocks',
  async (_as, length, lengths) => {
    const bytes = randomBytes(length);
    const { body, md5, sha256 } = await holdWhole(sourceOf(cut(bytes, lengths)), length);
    const sent: Uint8Array[] = [];
    await body.pour((pieces) => void sent.push(...pieces));
    expect(Buffer.concat(sent).equals(bytes)).toBe(true);
    expect([md5, sha256]).toEqual([
      createHash('md5').update(bytes).digest('base64'),
      createHash('sha256').update(bytes).digest('hex'),
    ]);
    expect(sent.length).toBe(Math.ceil(length / 65_536));
    // Else none could be freed when it is sent.
    for (const block of sent) expect(block.buffer.byteLength).toBe(block.byteLength);
  },
);

test.each([9, 11])('of another length than was said it is not held: %i bytes for 10', async (length) => {
  const held = holdWhole(sourceOf([randomBytes(length - 5), randomBytes(5)]), 10);
  await expect(held).rejects.toMatchObject({ code: 'ERR_S3_UPSTREAM_PROTOCOL' });
});

test('of a body that is longer than was said no more than that is taken', async () => {
  let given = 0;
  const endless = {
    pour: async (take: (pieces: Uint8Array[]) => Promise<void> | undefined) => {
      for (; given < 1000; given += 1) await take([randomBytes(10)]);
    },
  };
  await expect(holdWhole(endless, 25)).rejects.toMatchObject({ code: 'ERR_S3_UPSTREAM_PROTOCOL' });
  expect(given).toBe(2);
});
