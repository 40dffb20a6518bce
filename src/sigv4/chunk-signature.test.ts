import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { ChunkSignatures } from './chunk-signature.ts';
import { deriveSigningKey } from './signing-key.ts';

// Source: AWS, "Signature Calculations for the Authorization Header: Transferring Payload in Multiple Chunks", the worked example.
const scope = { date: '20130524', region: 'us-east-1', service: 's3' };
const secret = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
const sha256 = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');

test("the chunk signatures of the manual's example come out", () => {
  const chain = new ChunkSignatures({
    signature: '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9',
    signingKey: deriveSigningKey(secret, scope),
    scope,
    timestamp: '20130524T000000Z',
  });
  expect(chain.sign(sha256(new Uint8Array(65536).fill(97)))).toBe(
    'ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648',
  );
  expect(chain.sign(sha256(new Uint8Array(1024).fill(97)))).toBe(
    '0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497',
  );
  expect(chain.sign(sha256(new Uint8Array(0)))).toBe(
    'b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9',
  );
});

test("the trailer signature of the manual's example comes out", () => {
  const chain = new ChunkSignatures({
    signature: '106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e',
    signingKey: deriveSigningKey(secret, scope),
    scope,
    timestamp: '20130524T000000Z',
  });
  expect(chain.sign(sha256(new Uint8Array(65536).fill(97)))).toBe(
    'b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2',
  );
  expect(chain.sign(sha256(new Uint8Array(1024).fill(97)))).toBe(
    '1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7',
  );
  expect(chain.sign(sha256(new Uint8Array(0)))).toBe(
    '2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992',
  );
  expect(chain.signTrailer('x-amz-checksum-crc32c:sOO8/Q==\n')).toBe(
    'd81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435',
  );
});
