/**
 * Whatever comes, the gateway's parsers end in a meaning or in one of our errors: never in another exception, never in a loop, and what
 * they take means the same however it was cut on its way. Bounded: a few seconds of the normal run.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SealgateError } from '../errors.ts';
import { parseClaim } from '../sigv4/claim.ts';
import { SigningKeyCache } from '../sigv4/signing-key.ts';
import { verifyForm } from '../sigv4/form.ts';
import { verifyRequest } from '../sigv4/verify.ts';
import { permissionsFor } from './access/permissions.ts';
import { planBody } from './bodies/body-plan.ts';
import { sourceOf } from './bodies/byte-source.ts';
import { VerifyingBody } from './bodies/verifying-body.ts';
import { childrenOf, formatXml, parseXml } from './listing/xml-tree.ts';
import { parseCopySources } from './request/copy-source.ts';
import { collectHeaders, hoistQueryHeaders, operationHeaders } from './request/headers.ts';
import { locate, parseQuery, splitTarget } from './request/target.ts';
import { routeOperation } from './router.ts';

/** Runs it; only errors of ours are an answer. */
function tried<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof SealgateError) return undefined;
    throw error;
  }
}

const bits = (...words: readonly string[]) =>
  fc
    .array(
      fc.oneof(fc.constantFrom(...words), fc.string({ maxLength: 6 }), fc.string({ unit: 'binary', maxLength: 3 })),
      { maxLength: 14 },
    )
    .map((all) => all.join(''));

describe('HTTP', () => {
  const anywhere = bits(
    '/',
    '//',
    '..',
    '.',
    '%2F',
    '%2e%2e',
    '%',
    '%ff',
    '?',
    '&',
    '=',
    '+',
    'bucket',
    'uploads',
    'uploadId',
    'partNumber=1',
    'versionId',
    'x-amz-acl=private',
    'http://h',
    '\\',
    'X-Amz-Signature=1',
  );
  const targets = fc.oneof(
    anywhere,
    fc
      .tuple(
        fc.constantFrom('/bucket/', '/bucket', '//', '/b/'),
        bits('/', '..', '.', '%2F', '%2e%2e', '%2E.', '\\', 'k'),
        fc.constantFrom('', '?', '?uploads', '?uploadId=u&partNumber=1', '?versionId=v', '?acl'),
      )
      .map((parts) => parts.join('')),
  );
  const names = fc.constantFrom(
    'x-amz-copy-source',
    'X-Amz-Meta-A',
    'Host',
    'Connection',
    'x-amz-checksum-crc32',
    'x-amz-trailer',
    'Content-Length',
    'content_md5',
    'x-amz-meta-sealgate',
    'Range',
    'x-amz-tagging',
    'content-encoding',
  );
  const values = bits('/', 'bucket/key', '?versionId=', 'aws-chunked', ',', '%', 'bytes=', '-', '+', 'AAAAAA==', '1');

  test('any target and headers are an operation on one place, or refused', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('GET', 'PUT', 'POST', 'DELETE', 'HEAD'),
        targets,
        fc.array(fc.tuple(names, values), { maxLength: 6 }),
        (method, target, pairs) => {
          const understood = tried(() => {
            const sent = collectHeaders(pairs.flat());
            const { path, query: text } = splitTarget(target, 'host');
            const place = locate(path, sent['host'] ?? '', ['s3.test']);
            const { query, headers } = hoistQueryHeaders(parseQuery(text), sent);
            const operation = routeOperation({ ...place, method, query, headers });
            parseCopySources(headers, place.bucket);
            operationHeaders(headers);
            return { place, permissions: permissionsFor({ ...place, operation, query, headers }) };
          });
          if (understood === undefined) return;
          expect(understood.place.key.split('/')).not.toContain('..');
          expect(understood.permissions.every(({ resource }) => resource.startsWith('arn:aws:s3:::'))).toBe(true);
        },
      ),
      { numRuns: 3000 },
    );
  });
});

describe('XML', () => {
  test('any text is a tree or nothing, and a tree that is written is read as it was', () => {
    const documents = bits(
      '<Delete>',
      '</Delete>',
      '<Object>',
      '</Object>',
      '<Key>',
      '</Key>',
      '<![CDATA[',
      ']]>',
      '&amp;',
      '&#x0;',
      '&#9999999;',
      '<?xml ?>',
      '<!DOCTYPE x>',
      '<!--',
      '-->',
      '<a b="',
      '"/>',
      '<constructor>',
      '<__proto__>',
    );
    fc.assert(
      fc.property(documents, (text) => void tried(() => parseXml(text, 'Delete'))),
      { numRuns: 3000 },
    );
    const key = fc.string({
      unit: fc
        .nat({ max: 0xffff })
        .filter((code) => code < 0xd800 || code > 0xdfff)
        .map((code) => String.fromCharCode(code)),
      minLength: 1,
      maxLength: 20,
    });
    fc.assert(
      fc.property(fc.array(key, { minLength: 1, maxLength: 5 }), (keys) => {
        const written = Buffer.from(formatXml('Delete', { Object: keys.map((Key) => ({ Key })) })).toString();
        const read = childrenOf(parseXml(written, 'Delete'), 'Object').map((one) => one.children.get('Key')?.[0]?.text);
        expect(read).toEqual(keys);
      }),
      { numRuns: 500 },
    );
  });
});

describe('Signatures', () => {
  const how = { service: 's3', region: 'us-east-1', now: Date.UTC(2027, 0, 1), signingKeys: new SigningKeyCache() };
  const findKey = (accessKeyId: string) => (accessKeyId === 'K' ? { accessKeyId, secretAccessKey: 's' } : undefined);

  test('no header, query or form that was not signed with the secret is taken', () => {
    const scope = 'Credential=K/20270101/us-east-1/s3/aws4_request';
    const header = bits(
      'AWS4-HMAC-SHA256 ',
      scope,
      ',',
      'SignedHeaders=host',
      'Signature=',
      '0'.repeat(64),
      'Credential=',
      '/',
      ';',
      '=',
      ' ',
    );
    const query = bits(
      'X-Amz-Algorithm=AWS4-HMAC-SHA256',
      '&',
      'X-Amz-Credential=K%2F20270101%2Fus-east-1%2Fs3%2Faws4_request',
      'X-Amz-Signature=',
      '0'.repeat(64),
      'X-Amz-Date=20270101T000000Z',
      'X-Amz-Expires=',
      '60',
      'X-Amz-SignedHeaders=host',
      '%',
      '=',
    );
    fc.assert(
      fc.property(header, query, fc.boolean(), (authorization, text, inQuery) => {
        const headers = { host: 'h', 'x-amz-date': '20270101T000000Z', 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' };
        const request = {
          method: 'GET',
          path: '/b/k',
          query: inQuery ? text : '',
          headers: inQuery ? headers : { ...headers, authorization },
        };
        tried(() => parseClaim(request));
        expect(tried(() => verifyRequest(request, { ...how, findKey }))).toBeUndefined();
      }),
      { numRuns: 3000 },
    );
  });

  /** As it must be, mostly: so that many have all but the secret, and it is the signature that decides. */
  const mostly = (right: string, ...wrong: readonly string[]) =>
    fc.oneof({ weight: 12, arbitrary: fc.constant(right) }, { weight: 1, arbitrary: bits(right, ...wrong) });
  const SCOPE = 'K/20270101/us-east-1/s3/aws4_request';
  const algorithm = mostly('AWS4-HMAC-SHA256', 'AWS4-ECDSA-P256-SHA256');
  const credential = mostly(SCOPE, 'K', '/', '20270101', 's3');
  const date = mostly('20270101T000000Z', '2027', 'Z');
  const signature = fc.oneof(
    fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 64, maxLength: 64 }),
    mostly('0'.repeat(64), 'f'),
  );
  const expires = mostly('60', '-1', '6e1', '0');
  const signedHeaders = mostly('host', ';', 'x-amz-date');

  const KINDS = {
    'an Authorization header': fc.tuple(algorithm, credential, signedHeaders, signature).map(
      ([how_, scope, names, proof]) =>
        () =>
          verifyRequest(
            asked('', { authorization: `${how_} Credential=${scope}, SignedHeaders=${names}, Signature=${proof}` }),
            { ...how, findKey },
          ),
    ),
    'a presigned URL': fc.tuple(algorithm, credential, date, expires, signedHeaders, signature).map((values) => () => {
      const pairs = PRESIGNED.map((name, index) => `${name}=${encodeURIComponent(values[index] ?? '')}`);
      return verifyRequest(asked(pairs.join('&'), {}), { ...how, findKey });
    }),
    'a form': fc.tuple(mostly('e30=', '='), algorithm, credential, date, signature).map((values) => () => {
      const fields = new Map(FIELDS.map((name, index) => [name, values[index] ?? '']));
      return verifyForm(fields, { ...how, findKey });
    }),
  } as const;
  const PRESIGNED = ['Algorithm', 'Credential', 'Date', 'Expires', 'SignedHeaders', 'Signature'].map(
    (name) => `X-Amz-${name}`,
  );
  const FIELDS = ['policy', 'x-amz-algorithm', 'x-amz-credential', 'x-amz-date', 'x-amz-signature'];
  const asked = (query: string, headers: Readonly<Record<string, string>>) => ({
    ...{ method: 'GET', path: '/b/k', query },
    headers: { host: 'h', 'x-amz-date': '20270101T000000Z', 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', ...headers },
  });

  test.each(Object.keys(KINDS) as (keyof typeof KINDS)[])(
    '%s that has everything but the secret is refused for its signature',
    (kind) => {
      const codes = new Map<string, number>();
      fc.assert(
        fc.property(KINDS[kind], (verify) => {
          const code = refusalOf(verify);
          codes.set(code, (codes.get(code) ?? 0) + 1);
        }),
        { numRuns: 2000 },
      );
      // Most come as far as their signature; the others were refused on the way.
      expect(codes.get('ERR_SIGV4_MISMATCH')).toBeGreaterThan(500);
      expect(codes.size).toBeGreaterThan(2);
    },
  );
});

/** The code of the error of ours that it ends in. */
function refusalOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof SealgateError) return String(error.code);
    throw error;
  }
  throw new Error('it was taken');
}

describe('Chunks', () => {
  const signed = { payloadHash: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER', signature: '', timestamp: '' };
  const seed = {
    ...signed,
    signingKey: new SigningKeyCache().get(
      { accessKeyId: 'K', secretAccessKey: 's' },
      { date: '', region: '', service: '' },
    ),
    scope: { date: '', region: '', service: '' },
  };
  const read = async (pieces: readonly Buffer[], length: number): Promise<string> => {
    const headers = { 'x-amz-decoded-content-length': String(length), 'content-encoding': 'aws-chunked' };
    const body = new VerifyingBody(sourceOf(pieces), planBody(headers, seed, 'PutObject'));
    const bytes = await body.bytes(1000).catch((error: unknown): string => {
      if (error instanceof SealgateError) return String(error.code);
      throw error;
    });
    return typeof bytes === 'string' ? bytes : `read ${Buffer.from(bytes).toString('latin1')}`;
  };
  const cut = (text: string, at: readonly number[]): Buffer[] => {
    const bytes = Buffer.from(text, 'latin1');
    const places = [0, ...at.map((part) => Math.floor(part * bytes.length)).sort((a, b) => a - b), bytes.length];
    return places.slice(1).map((to, index) => Buffer.from(bytes.subarray(places[index], to)));
  };
  const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 6 });

  /** The data of a body in frames, read in the plainest way; undefined: it is none. */
  function unframed(text: string): string | undefined {
    let data = '';
    for (let rest = text; ;) {
      const [header = '', digits = ''] = /^([0-9a-f]{1,13})\r\n/iu.exec(rest) ?? [];
      if (header === '') return undefined;
      const end = header.length + Number.parseInt(digits, 16);
      if (end === header.length) return /^(?:\r?\n)+$/u.test(rest.slice(end)) ? data : undefined;
      if (rest.slice(end, end + 2) !== '\r\n') return undefined;
      data += rest.slice(header.length, end);
      rest = rest.slice(end + 2);
    }
  }

  test('any bytes are a body where a plain reader finds one of the length announced, else one of our errors, however they were cut', async () => {
    const good = fc.constantFrom('3\r\nabc\r\n', '03\r\n\r\n0\r\n', '1\r\n\n\r\n', 'A\r\n0123456789\r\n');
    const near = fc.constantFrom(
      ...[
        '3\nabc\r\n',
        '3\r\nabc\n',
        '3\r\nabc',
        '3\r\nabc..',
        '3 \r\nabc\r\n',
        '+3\r\nabc\r\n',
        '0x3\r\nabc\r\n',
        '\r\n3\r\nabc\r\n',
      ],
      ...[
        '3;a=b\r\nabc\r\n',
        `3;chunk-signature=${'0'.repeat(64)}\r\nabc\r\n`,
        '2\r\nabc\r\n',
        '4\r\nabc\r\n',
        '00000000000003\r\nabc\r\n',
      ],
    );
    const odd = fc.oneof(
      near,
      bits('3\r\nabc\r\n', '0\r\n', '\r\n', 'ffffffffffffffff\r\n', 'x-amz-checksum-crc32:', 'AAAAAA==', '\n', ':'),
    );
    const frames = fc
      .tuple(
        fc.array(fc.oneof({ weight: 8, arbitrary: good }, { weight: 1, arbitrary: odd }), { maxLength: 4 }),
        fc.oneof({ weight: 4, arbitrary: fc.constantFrom('0\r\n\r\n', '00\r\n\n') }, { weight: 1, arbitrary: odd }),
      )
      .map(([some, end]) => Buffer.from([...some, end].join(''), 'latin1').toString('latin1'));
    const lengths = fc.oneof(fc.constant(undefined), fc.nat({ max: 12 }));
    let readCount = 0;
    await fc.assert(
      fc.asyncProperty(frames, cuts, lengths, async (text, at, told) => {
        const data = unframed(text);
        const length = told ?? data?.length ?? 3;
        const whole = await read([Buffer.from(text, 'latin1')], length);
        expect(await read(cut(text, at), length)).toBe(whole);
        if (data?.length === length) expect(whole).toBe(`read ${data}`);
        else expect(whole).toMatch(/^ERR_S3_/u);
        if (whole.startsWith('read ')) readCount += 1;
      }),
      { numRuns: 1500 },
    );
    expect(readCount).toBeGreaterThan(200);
  });
});
