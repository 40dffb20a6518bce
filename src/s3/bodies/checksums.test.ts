import { describe, expect, test } from 'vitest';
import { CHECKSUM_ALGORITHMS, checksumBytes, createDigest, type ChecksumAlgorithm } from './checksums.ts';

// The check values of the CRC catalogue (reveng), of the hashes' own papers and of the xxHash repository, over `123456789`.
const CHECK: Partial<Record<ChecksumAlgorithm, string>> = {
  crc32: 'cbf43926',
  crc32c: 'e3069283',
  crc64nvme: 'ae8b14860a799888',
  md5: '25f9e794323b453885f5181f1b624d0b',
  sha1: 'f7c3bc1d808e04732adf679965ccc34ca7ae3441',
  sha256: '15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225',
  xxhash64: '8cb841db40e6ae83',
};

describe.each(CHECKSUM_ALGORITHMS)('%s', (algorithm) => {
  test('has the published check value, and its length', async () => {
    const digest = await createDigest(algorithm);
    digest.update(Buffer.from('123456789'));
    const value = Buffer.from(digest.digest());
    expect(value.length).toBe(checksumBytes(algorithm));
    if (CHECK[algorithm] !== undefined) expect(value.toString('hex')).toBe(CHECK[algorithm]);
  });

  test('is the same in one piece and in many', async () => {
    const [whole, parts] = [await createDigest(algorithm), await createDigest(algorithm)];
    const data = Buffer.alloc(70_000, 'sealgate');
    whole.update(data);
    for (let at = 0; at < data.length; at += 9_999) parts.update(data.subarray(at, at + 9_999));
    expect(parts.digest()).toEqual(whole.digest());
  });
});
