/** Requests that nobody signed, or that were changed afterwards: whatever stands in them, they are refused by an error of ours. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SigV4Error } from './errors.ts';
import { signRequest } from './sign.ts';
import { SigningKeyCache } from './signing-key.ts';
import { screenRequest, verifyRequest, type AccessKey, type IncomingRequest } from './verify.ts';

const KEY: AccessKey = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'a secret' };
const NOW = Date.UTC(2026, 10, 24, 1, 2, 3);
const SCOPE = { service: 'kms', region: 'eu-west-1', now: NOW } as const;
const payloadHash = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const signingKeys = new SigningKeyCache();

const rules = {
  ...SCOPE,
  signingKeys,
  payloadHash,
  findKey: (id: string) => (id === KEY.accessKeyId ? KEY : undefined),
};
const asked = { method: 'POST', path: '/', query: '', headers: { host: 'localhost:9000', 'x-amz-target': 'T.A' } };
const signed: IncomingRequest = {
  ...asked,
  headers: signRequest(asked, { ...SCOPE, credentials: KEY, payloadHash, signingKeys }).headers,
};

/** `taken`, or the code of an error of ours; anything else is thrown on. */
function outcome(request: IncomingRequest): string {
  try {
    screenRequest(request, rules);
    verifyRequest(request, rules);
    return 'taken';
  } catch (error) {
    if (error instanceof SigV4Error) return error.code;
    throw error;
  }
}

/** Text near what headers of AWS look like, and text that is not. */
const words = fc.array(
  fc.constantFrom(
    ...['AWS4-HMAC-SHA256', 'AWS4-ECDSA-P256-SHA256', 'AWS', ' ', ',', '=', '/', ';', '&', '%', '%41', '%zz', '\t'],
    ...['Credential', 'SignedHeaders', 'Signature', 'AKIDEXAMPLE', '20261124', 'eu-west-1', 'kms', 'aws4_request'],
    ...['host', 'x-amz-date', '20261124T010203Z', '20269999T999999Z', '-1', '0', 'a'.repeat(64), '\u0000', '\u00ff'],
  ),
  { maxLength: 24 },
);
const text = fc.oneof(
  words.map((all) => all.join('')),
  fc.string({ unit: 'binary', maxLength: 80 }),
);
const NAMES = ['authorization', 'x-amz-date', 'date', 'host', 'x-amz-content-sha256', 'x-amz-security-token'];
const QUERY = [
  'X-Amz-Algorithm',
  'X-Amz-Credential',
  'X-Amz-Date',
  'X-Amz-Expires',
  'X-Amz-SignedHeaders',
  'X-Amz-Signature',
];

test('Whatever stands in the headers and the query, it is refused by an error of ours', () => {
  const headers = fc.dictionary(fc.constantFrom(...NAMES), text, { maxKeys: 6 });
  const query = fc
    .array(fc.tuple(fc.constantFrom(...QUERY, '', '=', '&'), text), { maxLength: 7 })
    .map((pairs) => pairs.map(([name, value]) => `${name}=${value}`).join('&'));
  fc.assert(
    fc.property(headers, query, text, (some, asks, path) => {
      expect(outcome({ method: 'POST', path: `/${path}`, query: asks, headers: some })).toMatch(/^ERR_SIGV4_/u);
    }),
    { numRuns: 3000 },
  );
});

test('A signed request of which any header is another one is not taken', () => {
  expect(outcome(signed)).toBe('taken');
  const names = fc.constantFrom(...Object.keys(signed.headers));
  fc.assert(
    fc.property(names, text, (name, value) => {
      fc.pre(value.trim() !== signed.headers[name]);
      expect(outcome({ ...signed, headers: { ...signed.headers, [name]: value } })).toMatch(/^ERR_SIGV4_/u);
    }),
    { numRuns: 2000 },
  );
});

test('An Authorization header of which any one character is another is not taken, but for what stands between its parts', () => {
  const { authorization = '' } = signed.headers;
  for (let at = 0; at < authorization.length; at += 1) {
    for (const character of ['x', 'X', '0', ' ', ',', '/', '\u0000']) {
      const changed = authorization.slice(0, at) + character + authorization.slice(at + 1);
      if (/[ ,]/u.test(authorization.charAt(at))) continue;
      // Names of headers and hex digits are the same in either case.
      if (changed.toLowerCase() === authorization.toLowerCase()) continue;
      expect([at, outcome({ ...signed, headers: { ...signed.headers, authorization: changed } })]).toEqual([
        at,
        expect.stringMatching(/^ERR_SIGV4_/u),
      ]);
    }
  }
});
