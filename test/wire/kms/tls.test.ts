import { connect } from 'node:tls';
import { describe, expect, test } from 'vitest';
import type { CertificateCaller } from '../../../src/kms/auth/client-certificate.ts';
import { namesOf } from '../../../src/crypto/certificate-names.ts';
import type { KmsTls } from '../../../src/kms/server.ts';
import { certificate, CLIENT_CA, CLIENT_CRL, type CertificatePair } from '../../support/client-certificates.ts';
import { CALLER, send, signKms, startKms, type KmsAnswer, type TestKms } from '../../support/kms/edge.ts';

const arn = (name: string): string => `arn:aws:iam::123456789012:user/${name}`;
const CALLERS: readonly CertificateCaller[] = [
  { type: 'name', name: 'URI:spiffe://acme.test/app', principal: arn('app') },
  { type: 'name', name: 'DNS:app.acme.test', principal: arn('app') },
  { type: 'subject', subject: 'O=Acme, CN=backup', principal: arn('backup') },
];
const tls = (required: boolean, crl: string | undefined = CLIENT_CRL): KmsTls => {
  const { cert, key } = certificate('server');
  return { certificate: cert, privateKey: key, clients: { ca: CLIENT_CA, crl, required } };
};
const start = (required: boolean, crl?: string): Promise<TestKms> =>
  startKms({ tls: tls(required, crl), certificates: CALLERS });

const body = Buffer.from('{}');
const UNSIGNED = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'TrentService.ListKeys' };
/** ListKeys, unsigned unless told, with a client certificate; the code of the failure where TLS itself refuses. */
const ask = (
  kms: TestKms,
  pair?: CertificatePair,
  headers: Readonly<Record<string, string>> = UNSIGNED,
): Promise<KmsAnswer | string> =>
  send({ port: kms.port, tls: true }, headers, body, {
    ca: CLIENT_CA,
    rejectUnauthorized: true,
    agent: false,
    ...pair,
  }).catch((error: unknown) => (error as { code: string }).code);
const typeOf = (answer: KmsAnswer | string): unknown =>
  typeof answer === 'string' ? answer : (answer.json?.['__type'] ?? answer.status);

describe('a client certificate', () => {
  test.each([
    ['by one of its names', 'app', arn('app')],
    ['by its whole subject', 'backup', arn('backup')],
    ['valid for some time only', 'soon', arn('backup')],
  ] as const)('that is good stands for its principal, %s', async (_how, name, principal) => {
    await using kms = await start(true);
    expect(typeOf(await ask(kms, certificate(name)))).toBe(200);
    expect(kms.outcomes.at(-1)).toMatchObject({ action: 'ListKeys', result: 'success', principal });
  });

  test.each([
    ['of another CA', 'foreign'],
    ['expired', 'expired'],
    ['not valid yet', 'future'],
    ['revoked', 'revoked'],
    ['of a server', 'wrong-purpose'],
  ] as const)('%s is refused, whether one is required or not', async (_what, name) => {
    await using optional = await start(false);
    expect(typeOf(await ask(optional, certificate(name)))).toBe('UnrecognizedClientException');
    // A bad certificate is not made good by a good signature.
    const signed = signKms(optional.port, body, {});
    expect(typeOf(await ask(optional, certificate(name), signed))).toBe('UnrecognizedClientException');
    await using required = await start(true);
    expect([
      'ECONNRESET',
      'EPIPE',
      'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA',
      'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
    ]).toContain(typeOf(await ask(required, certificate(name))));
    expect(required.outcomes).toEqual([]);
  });

  test('that stands for nobody, or for two, is refused as a caller; with a signature the signature says who asks', async () => {
    await using kms = await start(true);
    for (const name of ['nobody', 'twofold'] as const) {
      expect(typeOf(await ask(kms, certificate(name)))).toBe('UnrecognizedClientException');
      expect(typeOf(await ask(kms, certificate(name), signKms(kms.port, body, {})))).toBe(200);
      expect(kms.outcomes.at(-1)).toMatchObject({ principal: CALLER.principal });
    }
    const forged = signKms(kms.port, body, { credentials: { ...CALLER, secretAccessKey: 'wrong' } });
    expect(typeOf(await ask(kms, certificate('app'), forged))).toBe('InvalidSignatureException');
  });

  test('is needed where it is required, and not where not; without one a signature is', async () => {
    await using optional = await start(false);
    expect(typeOf(await ask(optional))).toBe('MissingAuthenticationTokenException');
    expect(typeOf(await ask(optional, undefined, signKms(optional.port, body, {})))).toBe(200);
    await using required = await start(true);
    expect(typeof (await ask(required, undefined, signKms(required.port, body, {})))).toBe('string');
  });

  test('that is revoked is taken where no revocation list is configured: the list is what refuses it', async () => {
    await using kms = await startKms({
      tls: { ...tls(true), clients: { ca: CLIENT_CA, crl: undefined, required: true } },
      certificates: CALLERS,
    });
    expect(typeOf(await ask(kms, certificate('revoked')))).toBe(200);
  });

  test('that expires while its connection lives is refused from then on', async () => {
    await using kms = await start(true);
    const { Agent } = await import('node:https');
    const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: CLIENT_CA, ...certificate('soon') });
    const again = (): Promise<KmsAnswer> => send({ port: kms.port, tls: true }, UNSIGNED, body, { agent });
    expect((await again()).status).toBe(200);
    kms.clock.ms = Date.UTC(2091, 0, 1) - Date.now();
    expect((await again()).json?.['__type']).toBe('UnrecognizedClientException');
    agent.destroy();
  });

  test('is known again when its TLS session is resumed', async () => {
    await using kms = await start(true);
    let session: Buffer | undefined;
    const once = (): Promise<string> =>
      new Promise((resolve, reject) => {
        const socket = connect({
          port: kms.port,
          host: '127.0.0.1',
          ca: CLIENT_CA,
          servername: 'localhost',
          ...certificate('app'),
          session,
          maxVersion: 'TLSv1.2',
        });
        let text = '';
        let reused = false;
        socket.on('secureConnect', () => {
          reused = socket.isSessionReused();
          session = socket.getSession();
          const headers = { ...UNSIGNED, host: 'localhost', 'content-length': '2', connection: 'close' };
          socket.write(
            `POST / HTTP/1.1\r\n${Object.entries(headers)
              .map(([name, value]) => `${name}: ${value}\r\n`)
              .join('')}\r\n{}`,
          );
        });
        socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
        socket.on('error', reject);
        socket.on('close', () => resolve(`${String(reused)} ${text.slice(9, 12)}`));
      });
    expect(await once()).toBe('false 200');
    expect(await once()).toBe('true 200');
  });
});

test('TLS below 1.2 and plain HTTP are not spoken', async () => {
  await using kms = await start(false);
  const old = new Promise((resolve) => {
    const socket = connect({
      port: kms.port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      maxVersion: 'TLSv1.1',
      minVersion: 'TLSv1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    });
    socket.on('secureConnect', () => resolve('connected'));
    socket.on('error', () => resolve('refused'));
  });
  expect(await old).toBe('refused');
  const plain = send({ port: kms.port, tls: false }, UNSIGNED, body);
  await expect(plain).rejects.toMatchObject({ code: 'ECONNRESET' });
});

test.each([
  [undefined, []],
  ['DNS:a.test, URI:spiffe://x/y', ['DNS:a.test', 'URI:spiffe://x/y']],
  ['DNS:"a.test, DNS:evil"', ['DNS:a.test, DNS:evil']],
  ['URI:"quote\\"d", DNS:b', ['URI:quote"d', 'DNS:b']],
  ['DNS:"unfinished', []],
  ['no kind at all', []],
])('The names %j are read as %j', (subjectAltName, names) => {
  expect(namesOf({ subjectAltName })).toEqual(names);
});
