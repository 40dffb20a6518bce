/** Certificates and revocation lists that come anew while the KMS listener serves. */
import { once } from 'node:events';
import { Agent } from 'node:https';
import { connect as connectPlain } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { expect, test } from 'vitest';
import type { KmsTls } from '../../../src/kms/server.ts';
import { PROXY_CERTIFICATE_PEM, PROXY_KEY_PEM, SERVER_KEY_PEM } from '../../support/certificates.ts';
import { certificate, CLIENT_CA, CLIENT_CRL } from '../../support/client-certificates.ts';
import { send, signKms, startKms, type KmsAnswer, type TestKms } from '../../support/kms/edge.ts';

const { cert, key } = certificate('server');
const tls = (crl: string | undefined, required = true): KmsTls => ({
  certificate: cert,
  privateKey: key,
  clients: { ca: CLIENT_CA, crl, required },
});
const PRINCIPAL = 'arn:aws:iam::123456789012:user/app-old';
const start = (required = true): Promise<TestKms> =>
  startKms({
    tls: tls(undefined, required),
    certificates: [{ type: 'subject', subject: 'O=Acme, CN=app-old', principal: PRINCIPAL }],
  });
const body = Buffer.from('{}');
const UNSIGNED = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'TrentService.ListKeys' };
const LIST = requestFor('TrentService.ListKeys');
const asking =
  (kms: TestKms, agent: Agent): (() => Promise<KmsAnswer>) =>
  () =>
    send({ port: kms.port, tls: true }, UNSIGNED, body, { agent });

test.each([true, false])(
  'Who is revoked is refused from then on, on connections of before too; certificates required: %s',
  async (required) => {
    await using kms = await start(required);
    const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: CLIENT_CA, ...certificate('revoked') });
    const ask = asking(kms, agent);
    expect((await ask()).status).toBe(200);
    kms.server.renew(tls(CLIENT_CRL, required));
    await expect.poll(() => Object.keys(agent.freeSockets)).toEqual([]);
    const refused = ask().then(({ json }) => json?.['__type']);
    await (required ? expect(refused).rejects.toThrow() : expect(refused).resolves.toBe('UnrecognizedClientException'));
    expect(kms.outcomes.filter(({ result }) => result === 'success')).toHaveLength(1);
    agent.destroy();
  },
);

test('A request that is under way is answered, and is the last of its connection', async () => {
  await using kms = await start();
  const socket = await secure(kms);
  const answers: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => answers.push(chunk));
  socket.write(LIST.slice(0, -1));
  await new Promise((resolve) => setTimeout(resolve, 50));
  kms.server.renew(tls(CLIENT_CRL));
  socket.write(`${LIST.slice(-1)}${requestFor('TrentService.CreateKey').repeat(5)}`);
  await new Promise((resolve) => socket.once('close', resolve));
  const text = Buffer.concat(answers).toString('latin1');
  expect(text.match(/^HTTP\/1\.1 200/gmu)).toHaveLength(1);
  expect(text).toMatch(/^connection: close\r$/imu);
  expect(kms.outcomes.map(({ action }) => action)).toEqual(['ListKeys']);
});

test.each(['TLSv1.2', 'TLSv1.3'] as const)('A session of %s from before is not resumed', async (maxVersion) => {
  await using kms = await start();
  const first = await secure(kms, { maxVersion });
  // Of TLS 1.3 it comes after the handshake.
  const session = await new Promise<Buffer>((resolve) => {
    if (maxVersion === 'TLSv1.3') first.once('session', resolve);
    else resolve(first.getSession() as Buffer);
  });
  const resumed = await secure(kms, { maxVersion, session });
  expect(resumed.isSessionReused()).toBe(true);
  kms.server.renew(tls(CLIENT_CRL));
  const refused = secure(kms, { maxVersion, session });
  // With TLS 1.3 the client has ended its handshake before it is refused.
  const ended = refused.then(
    (socket) => new Promise((_, reject) => socket.once('error', reject).once('close', reject)),
  );
  await expect(ended).rejects.toBeDefined();
  first.destroy();
  resumed.destroy();
});

test('New connections see the new certificate; where clients show none, connections of before go on', async () => {
  await using kms = await startKms({ tls: { certificate: cert, privateKey: key } });
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: CLIENT_CA });
  const ask = (): Promise<KmsAnswer> =>
    send({ port: kms.port, tls: true }, signKms(kms.port, body, {}), body, { agent });
  expect((await ask()).status).toBe(200);
  kms.server.renew({ certificate: PROXY_CERTIFICATE_PEM, privateKey: PROXY_KEY_PEM });
  // A new connection would be refused: of another CA.
  expect((await ask()).status).toBe(200);
  const fresh = await secure(kms);
  expect(fresh.getPeerCertificate().subject.CN).toBe('proxy.test');
  fresh.destroy();
  agent.destroy();
});

test('What cannot be used changes nothing', async () => {
  await using kms = await start();
  const good = tls(CLIENT_CRL);
  for (const bad of [
    { ...good, privateKey: SERVER_KEY_PEM },
    { ...good, certificate: 'no certificate' },
    { ...good, clients: { ca: CLIENT_CA, crl: 'no list', required: true } },
  ])
    expect(() => kms.server.renew(bad)).toThrow();
  const agent = new Agent({ keepAlive: true, ca: CLIENT_CA, ...certificate('revoked') });
  expect((await asking(kms, agent)()).status).toBe(200);
  agent.destroy();
});

test.each([true, false])(
  'Who came before and shows a certificate after is sent away; required: %s',
  async (required) => {
    await using kms = await start(required);
    const plain = connectPlain({ port: kms.port, host: '127.0.0.1' });
    await once(plain, 'connect');
    await expect.poll(() => plain.readyState).toBe('open');
    // Accepted, as one that came later has been answered.
    (await secure(kms)).destroy();
    kms.server.renew(tls(CLIENT_CRL, required));
    const late = connect({ socket: plain, rejectUnauthorized: false, ...certificate('revoked') });
    late.on('error', () => undefined);
    late.on('secureConnect', () => late.write(LIST));
    const answers: Buffer[] = [];
    late.on('data', (chunk: Buffer) => answers.push(chunk));
    await once(late, 'close');
    expect([answers, kms.outcomes]).toEqual([[], []]);
  },
);

function requestFor(target: string): string {
  const headers = Object.entries({ ...UNSIGNED, 'x-amz-target': target, host: 'localhost', 'content-length': '2' });
  return `POST / HTTP/1.1\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n{}`;
}

async function secure(
  kms: TestKms,
  options: { readonly maxVersion?: 'TLSv1.2' | 'TLSv1.3'; readonly session?: Buffer } = {},
): Promise<TLSSocket> {
  const socket = connect({
    port: kms.port,
    host: '127.0.0.1',
    rejectUnauthorized: false,
    ...certificate('revoked'),
    ...options,
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve);
    socket.once('error', reject);
  });
  socket.on('error', () => undefined);
  return socket;
}
