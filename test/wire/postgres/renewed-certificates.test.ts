/** Certificates and revocation lists that come anew while the proxy serves: for connections from then on, and no session is lost. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import pg from 'pg';
import { serialize } from 'pg-protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ClientTlsOptions } from '../../../src/postgres/options.ts';
import {
  PROXY_CERTIFICATE_PEM,
  PROXY_KEY_PEM,
  SERVER_CERTIFICATE_PEM,
  SERVER_KEY_PEM,
  TEST_CA_PEM,
} from '../../support/certificates.ts';
import { certificate, CLIENT_CA, CLIENT_CRL } from '../../support/client-certificates.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';
import { startTestProxy, type TestProxy } from '../../support/postgres/proxy.ts';

let server: TestPostgres;
let proxy: TestProxy;
const open: pg.Client[] = [];

const served = (crlPem?: string): ClientTlsOptions => ({
  mode: 'required',
  certificatePem: PROXY_CERTIFICATE_PEM,
  privateKeyPem: PROXY_KEY_PEM,
  clients: { caPem: CLIENT_CA, required: false, ...(crlPem !== undefined && { crlPem }) },
});

beforeAll(async () => {
  server = await startPostgres();
  const admin = new pg.Client({ connectionString: server.url() });
  await admin.connect();
  await admin.query("CREATE ROLE app LOGIN PASSWORD 'app-secret'");
  await admin.end();
  const subject = 'subject:O=Acme, CN=app-old';
  proxy = await startTestProxy(server, {
    clientTls: served(),
    certificates: new Map([['app', { names: new Set([subject]), password: 'app-secret' }]]),
  });
});
afterAll(async () => {
  await Promise.all(open.map((client) => client.end()));
  await proxy.close();
  await server.stop();
});

async function logIn(shown = certificate('revoked')): Promise<pg.Client> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port: proxy.port,
    database: 'postgres',
    user: 'app',
    ssl: { ca: TEST_CA_PEM, ...shown },
  });
  client.on('error', () => undefined);
  await client.connect();
  open.push(client);
  return client;
}

const peerOf = (client: pg.Client): string | string[] | undefined =>
  (client as unknown as { readonly connection: { readonly stream: TLSSocket } }).connection.stream.getPeerCertificate()
    .subject.CN;

test('Who is revoked, or the certificate of the proxy, is another for connections from then on; sessions go on', async () => {
  const before = await logIn();
  expect(peerOf(before)).toBe('proxy.test');
  proxy.renew({ ...served(), certificatePem: SERVER_CERTIFICATE_PEM, privateKeyPem: SERVER_KEY_PEM });
  expect(peerOf(await logIn())).toBe('server.test');
  proxy.renew(served(CLIENT_CRL));
  await expect(logIn()).rejects.toMatchObject({ code: '28000', routine: 'ERR_POSTGRES_CERTIFICATE' });
  expect((await before.query('SELECT session_user AS who')).rows).toEqual([{ who: 'app' }]);
  proxy.renew(served());
  expect(peerOf(await logIn())).toBe('proxy.test');
});

test('Who came before and shows a certificate after is looked at by what is served then', async () => {
  proxy.renew(served());
  const [early, amidst] = await Promise.all([connected(), connected()]);
  await securable(amidst);
  proxy.renew(served(CLIENT_CRL));
  await securable(early);
  // Whether its handshake began before is not for the client to choose: it began with this.
  for (const plain of [early, amidst]) expect(await logInOver(plain)).toMatch(/28000|^$/u);
  proxy.renew(served());
  const late = await connected();
  await securable(late);
  expect(await logInOver(late)).not.toMatch(/28000|^$/u);
});

const connected = async (): Promise<Socket> => {
  const plain = connect({ port: proxy.port, host: '127.0.0.1' });
  await once(plain, 'connect');
  return plain;
};

async function securable(plain: Socket): Promise<void> {
  plain.write(serialize.requestSsl());
  await once(plain, 'data');
}

/** What the proxy says to a login as `app`, or nothing where it only leaves. */
async function logInOver(plain: Socket): Promise<string> {
  const secure = connectTls({ socket: plain, rejectUnauthorized: false, ...certificate('revoked') });
  const said: Buffer[] = [];
  secure.on('error', () => undefined);
  secure.on('data', (chunk: Buffer) => {
    said.push(chunk);
    secure.end();
  });
  secure.on('secureConnect', () => secure.write(serialize.startup({ user: 'app', database: 'postgres' })));
  await once(secure, 'close');
  return Buffer.concat(said).toString('latin1');
}

test('What cannot be used changes nothing', async () => {
  const good = served();
  for (const bad of [
    { ...good, privateKeyPem: SERVER_KEY_PEM },
    { ...good, certificatePem: 'no certificate' },
    { ...good, clients: { caPem: CLIENT_CA, crlPem: 'no list', required: false } },
  ])
    expect(() => proxy.renew(bad)).toThrow();
  expect(peerOf(await logIn())).toBe('proxy.test');
});
