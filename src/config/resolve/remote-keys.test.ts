import { describe, expect, test } from 'vitest';
import { SERVER_CA, SERVER_CRL, serverCertificate } from '../../../test/support/server-certificates.ts';
import type { Config } from '../config.ts';
import type { ConfigError } from '../errors.ts';
import { loadConfig } from '../load.ts';

const { cert, key } = serverCertificate('good');
const FILES: Readonly<Record<string, string>> = {
  ...{ 'client.crt': cert, 'client.key': key, 'ca.crt': SERVER_CA, 'ca.crl': SERVER_CRL, 'kms.secret': 'the secret\n' },
};

/** A config with this `keys.remote`, in JSON, which is YAML. */
const load = (remote: object, more: object = {}): Promise<Config> => {
  const keys = { region: 'eu-west-1', unseal: [{ type: 'keyFile', path: 'root.key' }], remote };
  const files = { ...FILES, 'sealgate.yaml': JSON.stringify({ version: 1, keys, ...more }) };
  const read = (path: string): Promise<Uint8Array> => {
    const text = Object.entries(files).find(([name]) => path.endsWith(`/${name}`))?.[1];
    return text === undefined
      ? Promise.reject(Object.assign(new Error('none'), { code: 'ENOENT' }))
      : Promise.resolve(Buffer.from(text));
  };
  return loadConfig('sealgate.yaml', {}, read, { checkPolicy: () => undefined });
};
const problems = (remote: object, more: object = {}): Promise<readonly string[]> =>
  load(remote, more).then(
    () => [],
    (error: ConfigError) => error.problems.map(({ code, path }) => `${path} ${code}`),
  );

const SIGNED = { credentials: { type: 'static', accessKeyId: 'AK', secretAccessKeyFile: 'kms.secret' } };
const MUTUAL = { tls: { caFile: 'ca.crt', clientCertificate: { certFile: 'client.crt', keyFile: 'client.key' } } };
const endpoint = 'https://kms.internal:8443';

describe('keys.remote', () => {
  test('reads certificates and secrets, and takes the region of `keys`', async () => {
    const { remote } = (await load({ endpoint, ...SIGNED, ...MUTUAL, timeoutSeconds: 9 })).keys;
    expect(remote).toMatchObject({
      endpoint,
      region: 'eu-west-1',
      tls: { ca: SERVER_CA, crl: undefined },
      timeoutSeconds: 9,
    });
    expect(remote?.tls.client?.certificate).toBe(cert);
    expect(remote?.credentials?.type === 'static' && remote.credentials.secretAccessKey.reveal()).toBe('the secret');
    expect((await load({ endpoint, region: 'x-1', credentials: { type: 'default' } })).keys.remote).toMatchObject({
      region: 'x-1',
      credentials: { type: 'default' },
      timeoutSeconds: 5,
    });
  });

  test.each([
    ['keys in clear', { endpoint: 'http://kms.internal', ...SIGNED }, ['keys.remote.endpoint ERR_CONFIG_VALUE']],
    ['a path', { endpoint: `${endpoint}/kms`, ...SIGNED }, ['keys.remote.endpoint ERR_CONFIG_VALUE']],
    ['credentials in it', { endpoint: 'https://u:p@kms', ...SIGNED }, ['keys.remote.endpoint ERR_CONFIG_VALUE']],
    ['no identity', { endpoint, tls: { caFile: 'ca.crt' } }, ['keys.remote ERR_CONFIG_VALUE']],
    [
      'a list without its CA',
      { endpoint, ...SIGNED, tls: { crlFile: 'ca.crl' } },
      ['keys.remote.tls.crlFile ERR_CONFIG_VALUE'],
    ],
    [
      'a file that is not there',
      { endpoint, ...SIGNED, tls: { caFile: 'none.crt' } },
      ['keys.remote.tls.caFile ERR_CONFIG_FILE'],
    ],
  ])('refuses %s', async (_what, remote, expected) => {
    expect(await problems(remote)).toEqual(expected);
  });

  test.each(['http://127.0.0.1:1', 'http://localhost:1', 'http://[::1]:1'])(
    'takes %s: it is this machine',
    async (at) => {
      expect(await problems({ endpoint: at, ...SIGNED })).toEqual([]);
    },
  );

  test('contradicts a KMS listener over the same store', async () => {
    const clients = [{ name: 'app', accessKeyId: 'APP', secretAccessKeyFile: 'kms.secret' }];
    expect(
      await problems({ endpoint, ...SIGNED }, { kms: { listen: { port: 1, host: '127.0.0.1' }, clients } }),
    ).toEqual(['kms ERR_CONFIG_CONTRADICTION']);
  });

  test.each(['alias/aws/s3', 'arn:aws:kms:eu-west-1:000000000000:alias/aws/s3', 'alias/aws/ebs'])(
    'contradicts a rule that names %s: there, nobody but its own services uses it',
    async (seal) => {
      const s3 = {
        listen: { port: 1 },
        upstream: { endpoint: 'http://127.0.0.1:1' },
        clients: [{ name: 'app', accessKeyId: 'APP', secretAccessKey: 's' }],
        buckets: [{ bucket: 'a', seal }],
      };
      const wrong = ['s3.buckets[0].seal ERR_CONFIG_CONTRADICTION'];
      expect(await problems({ endpoint, ...SIGNED }, { s3 })).toEqual(wrong);
    },
  );
});
