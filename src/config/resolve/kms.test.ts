import { describe, expect, test } from 'vitest';
import { certificate, CLIENT_CA, CLIENT_CRL } from '../../../test/support/client-certificates.ts';
import type { Config } from '../config.ts';
import type { ConfigError } from '../errors.ts';
import { loadConfig } from '../load.ts';

const FILES: Readonly<Record<string, string>> = {
  'kms.crt': certificate('server').cert,
  'kms.key': certificate('server').key,
  'ca.crt': CLIENT_CA,
  'ca.crl': CLIENT_CRL,
  'app.secret': 'the secret\n',
};

/** A config with this `kms` section, in JSON, which is YAML. */
const load = (kms: object, identities: readonly object[] = []): Promise<Config> => {
  const keys = { account: '123456789012', unseal: [{ type: 'keyFile', path: 'root.key' }], access: { identities } };
  const files = { ...FILES, 'sealgate.yaml': JSON.stringify({ version: 1, keys, kms }) };
  const read = (path: string): Promise<Uint8Array> => {
    const text = Object.entries(files).find(([name]) => path.endsWith(`/${name}`))?.[1];
    return text === undefined
      ? Promise.reject(Object.assign(new Error('none'), { code: 'ENOENT' }))
      : Promise.resolve(Buffer.from(text));
  };
  return loadConfig('sealgate.yaml', {}, read, { checkPolicy: () => undefined });
};
const problems = (kms: object): Promise<readonly string[]> =>
  load(kms).then(
    () => [],
    (error: ConfigError) => error.problems.map(({ code, path }) => `${path} ${code}`),
  );

const TLS = { certFile: 'kms.crt', keyFile: 'kms.key' };
const MUTUAL = { ...TLS, clientCaFile: 'ca.crt' };
const LISTEN = { port: 8443 };
const APP = { name: 'app', accessKeyId: 'APP', secretAccessKeyFile: 'app.secret' };
const BACKUP = { name: 'backup', certificate: { subject: 'O=Acme, CN=backup' } };

describe('section kms', () => {
  test('names every caller in full and reads its secrets and certificates', async () => {
    const tls = { ...MUTUAL, clientCrlFile: 'ca.crl', clientCertificates: 'required' };
    const role = 'arn:aws:iam::999999999999:role/deploy';
    const clients = [APP, BACKUP, { name: 'x', certificate: { name: 'URI:spiffe://a/b' }, principal: role }];
    const { kms } = await load({ listen: { host: '0.0.0.0', ...LISTEN, tls }, clients });
    expect(kms?.listen).toMatchObject({
      host: '0.0.0.0',
      port: 8443,
      tls: { certificate: FILES['kms.crt'], clients: { ca: CLIENT_CA, crl: CLIENT_CRL, required: true } },
    });
    expect(kms?.clients).toMatchObject([
      { name: 'app', principal: 'arn:aws:iam::123456789012:user/app', type: 'access-key', accessKeyId: 'APP' },
      {
        name: 'backup',
        principal: 'arn:aws:iam::123456789012:user/backup',
        type: 'subject',
        subject: 'O=Acme, CN=backup',
      },
      { name: 'x', principal: role, type: 'name', certificateName: 'URI:spiffe://a/b' },
    ]);
    const [app] = kms?.clients ?? [];
    expect(app?.type === 'access-key' && app.secretAccessKey.reveal()).toBe('the secret');
    expect(JSON.stringify(kms)).not.toContain('the secret');
  });

  test('One name may have two access keys, so that they can be exchanged', async () => {
    expect(await problems({ listen: LISTEN, clients: [APP, { ...APP, accessKeyId: 'APP2' }] })).toEqual([]);
  });

  test('Its callers can be named by identities; a misspelt one is an error', async () => {
    await load({ listen: LISTEN, clients: [APP] }, [{ client: 'app' }]);
    await expect(load({ listen: LISTEN, clients: [APP] }, [{ client: 'ap' }])).rejects.toMatchObject({
      code: 'ERR_CONFIG_INVALID',
    });
  });

  test.each([
    [
      'arn:aws:iam::123456789012:role/ops',
      'write `principal: "arn:aws:iam::123456789012:role/ops"`, or the role whose session it is',
    ],
    ['backup.example.com', 'a service has no identity policies'],
  ])('An identity whose client stands for somebody else, %s, is an error: it would bind nobody', async (who, hint) => {
    const stands = { ...APP, principal: who };
    const usual = { ...APP, accessKeyId: 'APP0' };
    // Beside another of its name it would bind the one and not the other: which is meant is to be said.
    for (const [clients, others] of [
      [[stands], ''],
      [
        [usual, stands],
        '; others of its name are arn:aws:iam::123456789012:user/app: for those write `principal: "arn:aws:iam::123456789012:user/app"`',
      ],
    ] as const)
      await expect(load({ listen: LISTEN, clients }, [{ client: 'app' }])).rejects.toMatchObject({
        problems: [
          {
            path: 'keys.access.identities[0].client',
            code: 'ERR_CONFIG_CONTRADICTION',
            message: expect.stringContaining(`${hint}${others} (the other: `),
          },
        ],
      });
    const itself = { ...APP, principal: 'arn:aws:iam::123456789012:user/app' };
    await load({ listen: LISTEN, clients: [itself] }, [{ client: 'app' }]);
  });

  const contradiction = 'ERR_CONFIG_CONTRADICTION';
  test.each<[string, object, readonly string[]]>([
    [
      'other machines in clear',
      { listen: { host: '0.0.0.0', ...LISTEN }, clients: [APP] },
      [`kms.listen.host ${contradiction}`],
    ],
    [
      'a name that is no loopback',
      { listen: { host: 'kms.test', ...LISTEN }, clients: [APP] },
      [`kms.listen.host ${contradiction}`],
    ],
    [
      'a name that begins like one',
      { listen: { host: '127.evil.test', ...LISTEN }, clients: [APP] },
      [`kms.listen.host ${contradiction}`],
    ],
    ['that, asked for', { listen: { host: '0.0.0.0', allowPlaintext: true, ...LISTEN }, clients: [APP] }, []],
    ['this machine in clear', { listen: { host: '127.0.0.1', ...LISTEN }, clients: [APP] }, []],
    ['nobody', { listen: LISTEN, clients: [] }, ['kms.clients ERR_CONFIG_VALUE']],
    [
      'an access key without a secret',
      { listen: LISTEN, clients: [{ name: 'a', accessKeyId: 'APP' }] },
      ['kms.clients[0] ERR_CONFIG_MISSING'],
    ],
    [
      'an access key with two',
      { listen: LISTEN, clients: [{ ...APP, secretAccessKey: 'x' }] },
      [`kms.clients[0] ${contradiction}`],
    ],
    [
      'the same access key twice',
      { listen: LISTEN, clients: [APP, { ...APP, name: 'b' }] },
      [`kms.clients[1] ${contradiction}`],
    ],
    [
      'the same certificate twice',
      { listen: { ...LISTEN, tls: MUTUAL }, clients: [BACKUP, { ...BACKUP, name: 'b' }] },
      [`kms.clients[1] ${contradiction}`],
    ],
    [
      'a certificate with a secret',
      { listen: { ...LISTEN, tls: MUTUAL }, clients: [{ ...BACKUP, secretAccessKey: 'x' }] },
      [`kms.clients[0].secretAccessKey ${contradiction}`],
    ],
    [
      'a certificate where none can be shown',
      { listen: { ...LISTEN, tls: TLS }, clients: [BACKUP] },
      [`kms.clients[0].certificate ${contradiction}`],
    ],
    [
      'certificates required without a CA',
      { listen: { ...LISTEN, tls: { ...TLS, clientCertificates: 'required' } }, clients: [APP] },
      [`kms.listen.tls.clientCertificates ${contradiction}`],
    ],
    [
      'a revocation list without a CA',
      { listen: { ...LISTEN, tls: { ...TLS, clientCrlFile: 'ca.crl' } }, clients: [APP] },
      [`kms.listen.tls.clientCrlFile ${contradiction}`],
    ],
    [
      'a CA file that is not there',
      { listen: { ...LISTEN, tls: { ...TLS, clientCaFile: 'none.crt' } }, clients: [APP] },
      ['kms.listen.tls.clientCaFile ERR_CONFIG_FILE'],
    ],
    [
      'a principal that is none',
      { listen: LISTEN, clients: [{ ...APP, principal: 'arn:aws:iam::1:user/x' }] },
      ['kms.clients[0].principal ERR_CONFIG_VALUE'],
    ],
    [
      'a kind of name that is none',
      { listen: { ...LISTEN, tls: MUTUAL }, clients: [{ name: 'a', certificate: { name: 'CN=a' } }] },
      ['kms.clients[0].certificate.name ERR_CONFIG_VALUE'],
    ],
  ])('%s', async (_what, kms, expected) => {
    expect(await problems(kms)).toEqual(expected);
  });
});
