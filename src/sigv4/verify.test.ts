import { createHash, createHmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalHeaderValue } from './canonical-request.ts';
import { encodePath, encodeUri } from './percent-encoding.ts';
import { signRequest } from './sign.ts';
import { SigningKeyCache } from './signing-key.ts';
import { screenRequest, verifyRequest, type AccessKey, type IncomingRequest } from './verify.ts';

const KEY: AccessKey = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
const NOW = Date.UTC(2026, 10, 24, 1, 2, 3);

class Sha256 {
  readonly #hash;
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash =
      secret === undefined
        ? createHash('sha256')
        : createHmac('sha256', typeof secret === 'string' ? secret : Buffer.from(secret as Uint8Array));
  }
  update(data: string | Uint8Array): void {
    this.#hash.update(data);
  }
  digest(): Promise<Uint8Array> {
    return Promise.resolve(new Uint8Array(this.#hash.digest()));
  }
  reset(): void {}
}

const oracle = (key: AccessKey = KEY) =>
  new SignatureV4({
    credentials: key,
    region: 'eu-west-1',
    service: 's3',
    sha256: Sha256,
    uriEscapePath: false,
  });

const options = (now = NOW, key: AccessKey = KEY) => ({
  service: 's3',
  region: 'eu-west-1',
  now,
  findKey: (id: string) => (id === key.accessKeyId ? key : undefined),
  signingKeys: new SigningKeyCache(),
});

test('only spaces of HTTP are cut off a header, and no byte of a letter', () => {
  // `à` and `Р` end in the byte A0 in UTF-8, which JavaScript takes for a space.
  for (const text of ['voil\u00e0', '\u0420', '\u00a0x\u00a0']) {
    const bytes = Buffer.from(text).toString('latin1');
    expect(canonicalHeaderValue(` \t${bytes}\t `)).toBe(bytes);
  }
});

test('blanks within a value cost no more than their length', () => {
  // Squared it would be hours.
  expect(canonicalHeaderValue(`a${' '.repeat(4_000_000)}b`)).toBe('a b');
  expect(canonicalHeaderValue(`a${'\t'.repeat(4_000_000)}b`)).toHaveLength(4_000_002);
  expect(canonicalHeaderValue(' \t'.repeat(1_000_000))).toBe('');
});

type Sample = { method: string; key: string; query: Record<string, string>; headers: Record<string, string> };

const httpRequest = (sample: Sample) => ({
  method: sample.method,
  protocol: 'http:',
  hostname: 'localhost',
  port: 9000,
  path: `/bucket/${encodePath(sample.key)}`,
  query: sample.query,
  headers: { host: 'localhost:9000', 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', ...sample.headers },
});

const rawQuery = (query: Record<string, unknown>): string =>
  Object.entries(query)
    .map(([name, value]) => `${encodeUri(name)}=${encodeUri(String(value))}`)
    .join('&');

const lower = (headers: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

const incoming = (signed: {
  method: string;
  path: string;
  query?: Record<string, unknown>;
  headers: Record<string, string>;
}): IncomingRequest => ({
  method: signed.method,
  path: signed.path,
  query: rawQuery(signed.query ?? {}),
  headers: lower(signed.headers),
});

const samples: fc.Arbitrary<Sample> = fc.record({
  method: fc.constantFrom('GET', 'PUT', 'DELETE', 'HEAD', 'POST'),
  key: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }),
  query: fc.dictionary(fc.stringMatching(/^[a-z]{1,8}[-a-z]{0,4}$/u), fc.string({ unit: 'grapheme', maxLength: 10 }), {
    maxKeys: 5,
  }),
  headers: fc.dictionary(
    fc.stringMatching(/^x-amz-meta-[a-z]{1,8}$/u),
    fc.stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/u),
    { maxKeys: 4 },
  ),
});

const sign = async (sample: Sample, key = KEY, at = NOW) =>
  incoming(await oracle(key).sign(httpRequest(sample), { signingDate: new Date(at) }));
const presign = async (sample: Sample, expiresIn = 900, key = KEY) =>
  incoming(
    await oracle(key).presign(httpRequest(sample), {
      signingDate: new Date(NOW),
      expiresIn,
      unsignableHeaders: new Set(['x-amz-content-sha256']),
      unhoistableHeaders: new Set(Object.keys(sample.headers)),
    }),
  );

const GET: Sample = { method: 'GET', key: 'a key', query: {}, headers: {} };

const codeOf = (run: () => unknown): unknown => {
  try {
    run();
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
  return undefined;
};

describe('a signature made by an independent signer', () => {
  test('in headers is accepted, whatever key, query and metadata', async () => {
    await fc.assert(
      fc.asyncProperty(samples, async (sample) => {
        expect(verifyRequest(await sign(sample), options()).key).toBe(KEY);
      }),
      { numRuns: 100 },
    );
  });

  test('in a presigned URL is accepted, whatever key, query and metadata', async () => {
    await fc.assert(
      fc.asyncProperty(samples, async (sample) => {
        const verified = verifyRequest(await presign(sample), options());
        expect(verified.type).toBe('presigned');
        expect(verified.payloadHash).toBe('UNSIGNED-PAYLOAD');
      }),
      { numRuns: 60 },
    );
  });

  test('is the same one that we make', async () => {
    await fc.assert(
      fc.asyncProperty(samples, async (sample) => {
        const theirs = await sign(sample);
        const { authorization: _authorization, 'x-amz-date': _date, ...headers } = theirs.headers;
        const ours = signRequest(
          { ...theirs, headers },
          {
            credentials: KEY,
            region: 'eu-west-1',
            service: 's3',
            now: NOW,
            payloadHash: 'UNSIGNED-PAYLOAD',
            signingKeys: new SigningKeyCache(),
          },
        );
        expect(ours.headers['authorization']?.split('Signature=')[1]).toBe(
          theirs.headers['authorization']?.split('Signature=')[1],
        );
      }),
      { numRuns: 60 },
    );
  });

  test('does not hold for another method, path, query, header or secret', async () => {
    const good = await sign({ ...GET, query: { list: '1' }, headers: { 'x-amz-meta-a': 'b' } });
    const bad: IncomingRequest[] = [
      { ...good, method: 'DELETE' },
      { ...good, path: `${good.path}x` },
      { ...good, query: `${good.query}&x=1` },
      { ...good, query: '' },
      { ...good, headers: { ...good.headers, 'x-amz-meta-a': 'c' } },
      { ...good, headers: { ...good.headers, host: 'other:9000' } },
      { ...good, headers: { ...good.headers, 'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER' } },
    ];
    for (const request of bad) expect(codeOf(() => verifyRequest(request, options()))).toBe('ERR_SIGV4_MISMATCH');
    expect(codeOf(() => verifyRequest(good, options(NOW, { ...KEY, secretAccessKey: 'other' })))).toBe(
      'ERR_SIGV4_MISMATCH',
    );
  });
});

describe('a request is refused', () => {
  test('when it is anonymous, of version 2, or claims twice', async () => {
    const good = await sign(GET);
    const { authorization, ...anonymous } = good.headers;
    expect(codeOf(() => verifyRequest({ ...good, headers: anonymous }, options()))).toBe('ERR_SIGV4_ANONYMOUS');
    expect(
      codeOf(() => verifyRequest({ ...good, headers: { ...anonymous, authorization: 'AWS AKID:abc=' } }, options())),
    ).toBe('ERR_SIGV4_UNSUPPORTED');
    expect(
      codeOf(() => verifyRequest({ ...good, query: 'AWSAccessKeyId=a&Signature=b', headers: anonymous }, options())),
    ).toBe('ERR_SIGV4_UNSUPPORTED');
    const both = await presign(GET);
    expect(
      codeOf(() =>
        verifyRequest({ ...both, headers: { ...both.headers, authorization: authorization ?? '' } }, options()),
      ),
    ).toBe('ERR_SIGV4_TWO_MECHANISMS');
  });

  test('when a header that matters is not signed', async () => {
    const good = await sign(GET);
    const added = { ...good.headers, 'x-amz-copy-source': '/secret/key' };
    expect(codeOf(() => verifyRequest({ ...good, headers: added }, options()))).toBe('ERR_SIGV4_HEADERS_NOT_SIGNED');
  });

  test('when its clock is more than 15 minutes off, and not before', async () => {
    const good = await sign(GET);
    const minute = 60_000;
    for (const off of [-15, 15]) expect(codeOf(() => verifyRequest(good, options(NOW + off * minute)))).toBeUndefined();
    for (const off of [-15, 15])
      expect(codeOf(() => verifyRequest(good, options(NOW + off * minute + Math.sign(off))))).toBe('ERR_SIGV4_SKEWED');
  });

  test('not because midnight has passed since; but when its day is not that of its scope', async () => {
    const late = Date.UTC(2026, 10, 24, 23, 59, 59);
    const good = await sign(GET, KEY, late);
    expect(verifyRequest(good, options(late + 10 * 60_000)).key).toBe(KEY);
    const { authorization = '', ...headers } = good.headers;
    expect(authorization).toContain('/20261124/');
    const tomorrow = { ...headers, authorization: authorization.replace('/20261124/', '/20261125/') };
    expect(codeOf(() => verifyRequest({ ...good, headers: tomorrow }, options(late + 2000)))).toBe('ERR_SIGV4_SCOPE');
    const moved = { ...headers, authorization, 'x-amz-date': '20261125T000001Z' };
    expect(codeOf(() => verifyRequest({ ...good, headers: moved }, options(late + 2000)))).toBe('ERR_SIGV4_SCOPE');
  });

  test('when the presigned URL has expired, is not valid yet, or lives longer than a week', async () => {
    const good = await presign(GET, 60);
    expect(codeOf(() => verifyRequest(good, options(NOW + 60_000)))).toBeUndefined();
    expect(codeOf(() => verifyRequest(good, options(NOW + 60_001)))).toBe('ERR_SIGV4_EXPIRED');
    expect(codeOf(() => verifyRequest(good, options(NOW - 16 * 60_000)))).toBe('ERR_SIGV4_NOT_YET_VALID');
    expect(
      codeOf(() =>
        verifyRequest({ ...good, query: good.query.replace('X-Amz-Expires=60', 'X-Amz-Expires=604801') }, options()),
      ),
    ).toBe('ERR_SIGV4_MALFORMED');
    expect(codeOf(() => verifyRequest({ ...good, query: `${good.query}&X-Amz-Expires=70` }, options()))).toBe(
      'ERR_SIGV4_MALFORMED',
    );
  });

  test('when access key, region or service is another', async () => {
    const good = await sign(GET);
    expect(codeOf(() => verifyRequest(good, { ...options(), findKey: () => undefined }))).toBe('ERR_SIGV4_UNKNOWN_KEY');
    expect(codeOf(() => verifyRequest(good, { ...options(), region: 'us-east-1' }))).toBe('ERR_SIGV4_SCOPE');
    expect(codeOf(() => verifyRequest(good, { ...options(), service: 'kms' }))).toBe('ERR_SIGV4_SCOPE');
    expect(codeOf(() => verifyRequest(good, { ...options(), region: undefined }))).toBeUndefined();
  });

  test('when the session token is missing, wrong or uncalled for', async () => {
    const key = { ...KEY, sessionToken: 'token' };
    const good = await sign(GET, key);
    const presigned = await presign(GET, 60, key);
    expect(verifyRequest(good, options(NOW, key)).key).toBe(key);
    expect(verifyRequest(presigned, options(NOW, key)).key).toBe(key);
    expect(codeOf(() => verifyRequest(good, options(NOW, { ...key, sessionToken: 'other' })))).toBe('ERR_SIGV4_TOKEN');
    expect(codeOf(() => verifyRequest(good, options()))).toBe('ERR_SIGV4_TOKEN');
    const without = await sign(GET);
    expect(codeOf(() => verifyRequest(without, options(NOW, key)))).toBe('ERR_SIGV4_TOKEN');
  });

  test('when a presigned URL comes with a body in frames that it was not signed for', async () => {
    const presigned = await presign({ ...GET, method: 'PUT' });
    const framed = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER';
    const headers = { ...presigned.headers, 'x-amz-content-sha256': framed };
    expect(codeOf(() => verifyRequest({ ...presigned, headers }, options()))).toBe('ERR_SIGV4_HEADERS_NOT_SIGNED');
    expect(verifyRequest(presigned, options()).payloadHash).toBe('UNSIGNED-PAYLOAD');
  });

  test('for every damaged Authorization header, with one of our codes', async () => {
    const good = await sign(GET);
    const header = good.headers['authorization'] ?? '';
    for (let at = 0; at < header.length; at += 1) {
      for (const damaged of [header.slice(0, at), `${header.slice(0, at)},${header.slice(at + 1)}`]) {
        if (damaged === header) continue;
        const request = { ...good, headers: { ...good.headers, authorization: damaged } };
        expect(codeOf(() => verifyRequest(request, options()))).toMatch(/^ERR_SIGV4_/u);
      }
    }
  });
});

describe('where the body is there to be hashed', () => {
  const bodyHash = createHash('sha256').update('the body').digest('hex');
  const kms = { ...options(), service: 'kms', payloadHash: bodyHash, maxSkewMs: 5 * 60_000 };
  const signed = async (claimed: string | undefined): Promise<IncomingRequest> => {
    const signer = new SignatureV4({
      credentials: KEY,
      region: 'eu-west-1',
      service: 'kms',
      sha256: Sha256,
      applyChecksum: false,
    });
    const headers = { host: 'kms.test', ...(claimed === undefined ? {} : { 'x-amz-content-sha256': claimed }) };
    const request = { method: 'POST', protocol: 'https:', hostname: 'kms.test', path: '/', query: {}, headers };
    return incoming(await signer.sign({ ...request, body: 'the body' }, { signingDate: new Date(NOW) }));
  };

  test('the signature must be over that hash, claimed in a header or not', async () => {
    expect(verifyRequest(await signed(undefined), kms).payloadHash).toBe(bodyHash);
    expect(verifyRequest(await signed(bodyHash), kms).payloadHash).toBe(bodyHash);
    for (const other of ['UNSIGNED-PAYLOAD', 'STREAMING-UNSIGNED-PAYLOAD-TRAILER', bodyHash.replace(/^./u, 'x')]) {
      const request = await signed(other);
      expect(codeOf(() => verifyRequest(request, kms))).toBe('ERR_SIGV4_MISMATCH');
    }
    const another = { ...kms, payloadHash: createHash('sha256').update('another').digest('hex') };
    for (const claimed of [undefined, bodyHash]) {
      const request = await signed(claimed);
      expect(codeOf(() => verifyRequest(request, another))).toBe('ERR_SIGV4_MISMATCH');
    }
  });

  test('the clock may be as far off as told, and no further', async () => {
    const request = await signed(undefined);
    for (const off of [-5 * 60_000, 5 * 60_000]) {
      expect(codeOf(() => verifyRequest(request, { ...kms, now: NOW + off }))).toBeUndefined();
      expect(codeOf(() => verifyRequest(request, { ...kms, now: NOW + off + Math.sign(off) }))).toBe(
        'ERR_SIGV4_SKEWED',
      );
    }
  });

  test('who is unknown, late or elsewhere is told so before any body; a wrong signature is not', async () => {
    const request = await signed(undefined);
    const forged = {
      ...request,
      headers: {
        ...request.headers,
        authorization: request.headers['authorization']?.replace(/[0-9a-f]{64}$/u, '0'.repeat(64)) ?? '',
      },
    };
    expect(screenRequest(forged, kms).key).toBe(KEY);
    expect(codeOf(() => verifyRequest(forged, kms))).toBe('ERR_SIGV4_MISMATCH');
    expect(codeOf(() => screenRequest(request, { ...kms, now: NOW + 6 * 60_000 }))).toBe('ERR_SIGV4_SKEWED');
    expect(codeOf(() => screenRequest(request, { ...kms, findKey: () => undefined }))).toBe('ERR_SIGV4_UNKNOWN_KEY');
    expect(codeOf(() => screenRequest(request, { ...kms, service: 's3' }))).toBe('ERR_SIGV4_SCOPE');
  });
});

describe('what proxies in front change harmlessly is accepted', () => {
  test('a path encoded differently, and a port added to Host', async () => {
    const good = await sign({ ...GET, key: "it's (1)" });
    const respelled = { ...good, path: good.path.replace('%27', "'").replace('%28', '(') };
    expect(respelled.path).not.toBe(good.path);
    expect(verifyRequest(respelled, options()).key).toBe(KEY);
    const portless = incoming(
      await oracle().sign(
        { ...httpRequest(GET), headers: { host: 'localhost', 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } },
        { signingDate: new Date(NOW) },
      ),
    );
    expect(verifyRequest({ ...portless, headers: { ...portless.headers, host: 'localhost:443' } }, options()).key).toBe(
      KEY,
    );
  });
});
