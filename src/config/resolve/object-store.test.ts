import { expect, test } from 'vitest';
import { certificate } from '../../../test/support/client-certificates.ts';
import { KEYS, loadText, problemsOf } from '../../../test/support/config.ts';

const S3 = `${KEYS}s3:
  listen: { port: 9000 }
  upstream: { endpoint: "http://127.0.0.1:1" }
  clients: [{ name: app, accessKeyId: APP, secretAccessKey: s }]
`;

test('Other object stores have buckets of their own, each in one of them', async () => {
  const store = (index: number, buckets: string, more = ''): string =>
    `    - { buckets: ${buckets}, endpoint: "http://127.0.0.1:${index}"${more} }\n`;
  const section = (...stores: readonly string[]): string => `${S3}  otherUpstreams:\n${stores.join('')}`;
  const amazon = '    - { buckets: [b], endpoint: "https://s3.eu-west-1.amazonaws.com" }\n';
  const { s3 } = await loadText(section(store(2, '[a, "a-*"]', ', region: eu'), amazon));
  expect(s3?.otherUpstreams).toMatchObject([
    { buckets: ['a', 'a-*'], endpoint: 'http://127.0.0.1:2', region: 'eu', capabilities: { ownChecksum: 'none' } },
    { buckets: ['b'], region: 'us-east-1', capabilities: { ownChecksum: 'crc32', trailingChecksums: true } },
  ]);
  expect(await problemsOf(section(store(2, '[a, b]'), store(3, '[c, b]')))).toEqual([
    '10:22 CONTRADICTION s3.otherUpstreams[1].buckets[1]',
  ]);
  expect(await problemsOf(section(store(2, '[]')))).toEqual(['9:18 VALUE s3.otherUpstreams[0].buckets']);
  expect(await problemsOf(section(store(2, '["a*b"]')))).toEqual(['9:19 VALUE s3.otherUpstreams[0].buckets[0]']);
  expect(await problemsOf(section('    - { buckets: [a], endpoint: "http://u:p@127.0.0.1/" }\n'))).toEqual([
    '9:33 VALUE s3.otherUpstreams[0].endpoint',
  ]);
  const ca = store(2, '[a]', ', tls: { caFile: ./none.pem }');
  expect(await problemsOf(section(ca))).toEqual(['9:70 FILE s3.otherUpstreams[0].tls.caFile']);
});

test('A store that asks for a certificate is shown one with its key, whoever vouches for the store', async () => {
  const { cert, key } = certificate('app');
  const other = certificate('backup').key;
  const files = { '/etc/gate/own.crt': cert, '/etc/gate/own.key': key, '/etc/gate/other.key': other };
  const over = (tls: string): string => S3.replace('127.0.0.1:1" }', `127.0.0.1:1", tls: { ${tls} } }`);
  const { s3 } = await loadText(over('certFile: own.crt, keyFile: own.key'), { files });
  expect(s3?.upstream.tls).toMatchObject({ ca: undefined, client: { certificate: cert }, place: 's3.upstream.tls' });
  for (const [tls, problem] of [
    ['certFile: own.crt', /VALUE s3\.upstream\.tls\.certFile$/u],
    ['keyFile: own.key', /VALUE s3\.upstream\.tls\.keyFile$/u],
    ['certFile: own.crt, keyFile: other.key', /FILE s3\.upstream\.tls\.certFile$/u],
  ] as const)
    expect(await problemsOf(over(tls), { files })).toEqual([expect.stringMatching(problem)]);
});
