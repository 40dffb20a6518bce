/**
 * `sealgate up` whose upstreams, key manager and audit receiver change their authority while it runs, and ask for another certificate of ours: every
 * process takes what is put into the files.
 */
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { once } from 'node:events';
import { chmodSync, chownSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer as createCollector } from 'node:https';
import { connect, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SERVER_CERTIFICATE_PEM, SERVER_KEY_PEM, TEST_CA_PEM } from '../support/certificates.ts';
import { cliFolder, type CliFolder } from '../support/cli.ts';
import { certificate, CLIENT_CA, type CertificatePair } from '../support/client-certificates.ts';
import { connectTo } from '../support/postgres/connect.ts';
import { startPostgres, type TestPostgres } from '../support/postgres/postgres.ts';
import { reloadConfig } from '../support/postgres/waits.ts';
import { createShop } from '../support/postgres/shop-database.ts';
import { sealgate, type Program } from '../support/run.ts';
import { SERVER_CA, serverCertificate } from '../support/server-certificates.ts';
import { startS3rver, type TestStore } from '../support/s3/s3rver.ts';

const WORKERS = 2;
/** Files are looked at every ten seconds. */
const soon = { timeout: 60_000, interval: 200 };
/** More connections than it takes to meet each worker. */
const ENOUGH = 12;
const PEERS = ['keys.remote.tls', 'keys.audit.sinks[0]', 's3.upstream.tls', 'postgres.upstream.tls'];

/** Of the servers: by one authority, then by another. */
const OLD = { authority: SERVER_CA, pair: serverCertificate('good') };
const NEW = { authority: TEST_CA_PEM, pair: { cert: SERVER_CERTIFICATE_PEM, key: SERVER_KEY_PEM } };

let far: CliFolder;
let near: CliFolder;
let store: TestStore;
let database: TestPostgres;
let kms: Program;
let up: Program;
let front: Server;
let collector: ReturnType<typeof createCollector>;
/** The subjects that connections to the store showed; the bodies that the collector got. */
const shown: string[] = [];
const collected: string[] = [];
let ports: { readonly s3: number; readonly postgres: number };

const farConfig = (): string => `version: 1
keys:
  unseal: [{ type: keyFile, path: root.key }]
  access:
    identities:
${['first', 'second']
  .map(
    (client) => `      - client: ${client}
        policies:
          - name: data-keys
            document:
              Version: '2012-10-17'
              Statement: [{ Effect: Allow, Action: 'kms:*', Resource: '*' }]`,
  )
  .join('\n')}
kms:
  listen: { port: 0, tls: { certFile: own.crt, keyFile: own.key, clientCaFile: clients.crt, clientCertificates: required } }
  clients:
    - { name: first, certificate: { name: 'URI:spiffe://acme.test/app' } }
    - { name: second, certificate: { subject: 'O=Acme, CN=backup' } }
`;

const portOf = (server: { address(): unknown }): number => (server.address() as AddressInfo).port;
const portIn = (program: Program, name: string): number =>
  Number(new RegExp(`^${name} +\\w+://127.0.0.1:(\\d+)`, 'mu').exec(program.said())?.[1]);

const nearConfig = (): string => `version: 1
workers: ${WORKERS}
keys:
  unseal: [{ type: keyFile, path: root.key }]
  cache: { maxAgeSeconds: 1 }
  audit:
    file: audit.jsonl
    sinks: [{ type: http, name: collector, url: 'https://localhost:${portOf(collector)}/', caFile: sink-ca.crt }]
  remote:
    endpoint: https://localhost:${portIn(kms, 'kms')}
    tls: { caFile: kms-ca.crt, clientCertificate: { certFile: kms.crt, keyFile: kms.key } }
s3:
  listen: { port: 0 }
  upstream:
    endpoint: https://localhost:${portOf(front)}
    credentials: { type: static, accessKeyId: ${store.accessKeyId}, secretAccessKey: ${store.secretAccessKey} }
    tls: { caFile: s3-ca.crt, certFile: s3.crt, keyFile: s3.key }
  clients: [{ name: app, accessKeyId: APP, secretAccessKey: application-secret }]
  buckets: [{ bucket: sealed, seal: alias/data }]
postgres:
  listen: { port: 0 }
  upstream:
    host: localhost
    port: ${database.port}
    tls: { mode: verify-full, caFile: pg-ca.crt, certFile: pg.crt, keyFile: pg.key }
  databases: [{ name: shop, service: { user: backup, password: backup-secret } }]
  columns: [{ column: shop.public.people.name, type: text, key: alias/data }]
`;

function write(folder: CliFolder, name: string, { cert, key }: CertificatePair): void {
  writeFileSync(folder.path(`${name}.crt`), cert);
  writeFileSync(folder.path(`${name}.key`), key);
}

/** As the server wants its files. */
function writeServerFile(name: string, text: string): void {
  const path = join(database.dataDirectory, name);
  const { uid, gid } = statSync(database.dataDirectory);
  writeFileSync(path, text);
  chownSync(path, uid, gid);
  chmodSync(path, 0o600);
}

async function serve({ pair }: typeof OLD): Promise<void> {
  write(far, 'own', pair);
  writeServerFile('server.crt', pair.cert);
  writeServerFile('server.key', pair.key);
  for (const server of [front, collector]) server.setSecureContext({ ...pair, ca: CLIENT_CA });
  await reloadConfig(database);
}

const trust = (authority: string): void => {
  for (const name of ['kms-ca', 'sink-ca', 's3-ca', 'pg-ca']) writeFileSync(near.path(`${name}.crt`), authority);
};

beforeAll(async () => {
  [far, near] = [cliFolder(), cliFolder()];
  [store, database] = await Promise.all([startS3rver({ buckets: ['sealed'] }), startPostgres()]);
  const { pair } = OLD;
  front = createServer({ ...pair, ca: CLIENT_CA, requestCert: true, rejectUnauthorized: true }, relay);
  collector = createCollector(pair, (request, response) => {
    request.on('data', (piece: Buffer) => collected.push(piece.toString()));
    request.on('end', () => response.end());
  });
  for (const server of [front, collector]) {
    server.on('tlsClientError', () => undefined);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  }
  write(far, 'own', pair);
  writeFileSync(far.path('clients.crt'), CLIENT_CA);
  for (const folder of [far, near]) expect((await folder.run('init')).exit).toBe(0);
  writeFileSync(far.path('sealgate.yaml'), farConfig());
  expect((await far.run('keys', 'create', '--alias', 'data')).exit).toBe(0);
  kms = sealgate(['up'], { cwd: far.folder });
  await kms.untilSays('kms ');
  trust(OLD.authority);
  write(near, 'kms', certificate('app'));
  for (const name of ['s3', 'pg']) write(near, name, certificate('backup'));
  await setUpDatabase();
  writeFileSync(near.path('sealgate.yaml'), nearConfig());
  await createShop(database, near, 'create table people (id int primary key, name text)');
  up = sealgate(['up'], { cwd: near.folder });
  await up.untilSays('postgres ');
  ports = { s3: portIn(up, 's3'), postgres: portIn(up, 'postgres') };
});
afterAll(async () => {
  for (const program of [up, kms]) {
    program?.child.kill('SIGTERM');
    await program?.done;
  }
  front.close();
  collector.closeAllConnections();
  collector.close();
  await Promise.all([store.close(), database.stop()]);
  for (const folder of [far, near]) folder[Symbol.dispose]();
});

function relay(socket: TLSSocket): void {
  shown.push(String(socket.getPeerX509Certificate()?.fingerprint256));
  const behind = connect({ host: '127.0.0.1', port: Number(new URL(store.url).port) });
  for (const [one, other] of [
    [socket, behind],
    [behind, socket],
  ] as const)
    one.on('error', () => other.destroy()).on('close', () => other.destroy());
  socket.pipe(behind).pipe(socket);
}

async function setUpDatabase(): Promise<void> {
  writeServerFile('server.crt', OLD.pair.cert);
  writeServerFile('server.key', OLD.pair.key);
  writeServerFile('clients.crt', CLIENT_CA);
  const hba = readFileSync(join(database.dataDirectory, 'pg_hba.conf'), 'utf8');
  writeServerFile(
    'pg_hba.conf',
    `hostssl all backup all scram-sha-256 clientcert=verify-full\nhost all backup all reject\n${hba}`,
  );
  const admin = await connectTo(database.url());
  for (const statement of [
    'alter system set ssl = on',
    "alter system set ssl_ca_file = 'clients.crt'",
    "create role backup superuser login password 'backup-secret'",
  ])
    await admin.query(statement);
  await admin.end();
  await reloadConfig(database);
}

const s3 = (): S3Client =>
  new S3Client({
    endpoint: `http://127.0.0.1:${ports.s3}`,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'APP', secretAccessKey: 'application-secret' },
    maxAttempts: 1,
  });

/** Over connections of their own, so that every worker is met. */
async function objects(prefix: string): Promise<readonly string[]> {
  return Promise.all(
    Array.from({ length: ENOUGH }, async (_, n) => {
      const client = s3();
      try {
        await client.send(new PutObjectCommand({ Bucket: 'sealed', Key: `${prefix}-${n}`, Body: 'content' }));
        const { Body } = await client.send(new GetObjectCommand({ Bucket: 'sealed', Key: `${prefix}-${n}` }));
        return (await Body?.transformToString()) ?? '';
      } catch (error) {
        return error instanceof Error ? error.name : 'unknown';
      } finally {
        client.destroy();
      }
    }),
  );
}

async function session(): Promise<pg.Client> {
  const client = new pg.Client(`postgres://backup:backup-secret@127.0.0.1:${ports.postgres}/shop`);
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

let people = 0;
/** The serial number of the certificate that the server was shown for the session; with it a sealed value goes both ways. */
async function serialOf(client: pg.Client): Promise<string> {
  const id = (people += 1);
  await client.query('insert into people values ($1, $2)', [id, 'a name']);
  const { rows: names } = await client.query<{ name: string }>('select name from people where id = $1', [id]);
  expect(names).toEqual([{ name: 'a name' }]);
  const { rows } = await client.query<{ serial: string }>(
    'select client_serial::text as serial from pg_stat_ssl where pid = pg_backend_pid()',
  );
  return rows[0]?.serial ?? '';
}

async function serials(): Promise<readonly string[]> {
  const all = Array.from({ length: ENOUGH }, async () => {
    const client = await session();
    return serialOf(client).finally(() => client.end());
  });
  return [...new Set(await Promise.all(all))];
}

const logged = (): readonly Record<string, unknown>[] =>
  up
    .logged()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
/** How many processes said so of each peer. */
const said = (text: RegExp): Readonly<Record<string, number>> => {
  const peers = logged().flatMap(({ peer, message }) => (text.test(String(message)) ? [peer] : []));
  return Object.fromEntries(PEERS.map((name) => [name, peers.filter((peer) => peer === name).length]));
};
const everywhere = (times: number): Readonly<Record<string, number>> => ({
  'keys.remote.tls': times,
  'keys.audit.sinks[0]': times,
  's3.upstream.tls': WORKERS * times,
  'postgres.upstream.tls': WORKERS * times,
});
const served = (): readonly string[] => Array.from({ length: ENOUGH }, () => 'content');

test('Authorities and certificates that are replaced on disk are those of every connection that is made afterwards', async () => {
  const open = await session();
  const before = await serialOf(open);
  expect(await serials()).toEqual([before]);
  expect(await objects('before')).toEqual(served());
  expect(new Set(shown).size).toBe(1);
  const callers = (): string => readFileSync(far.path('sealgate-audit.jsonl'), 'utf8');
  expect([/user\/first/u.test(callers()), /user\/second/u.test(callers())]).toEqual([true, false]);

  await serve(NEW);
  trust(NEW.authority);
  write(near, 'kms', certificate('backup'));
  for (const name of ['s3', 'pg']) write(near, name, certificate('soon'));
  await expect.poll(() => said(/certificates renewed/u), soon).toEqual(everywhere(1));
  // The other end has files of its own to look at.
  await expect.poll(kms.logged, soon).toContain('certificates renewed');
  shown.length = 0;
  expect(await objects('after')).toEqual(served());
  expect(new Set(shown).size).toBe(1);
  const [after, ...others] = await serials();
  expect([others, after === before]).toEqual([[], false]);
  expect(await serialOf(open)).toBe(before);
  expect(callers()).toMatch(/user\/second/u);
  const records = readFileSync(near.path('audit.jsonl'), 'utf8').trimEnd().split('\n').length;
  await expect.poll(() => collected.join('').trimEnd().split('\n').length, soon).toBeGreaterThanOrEqual(records);
  expect(logged().filter(({ level }) => level === 'error')).toEqual([]);

  for (const name of ['s3', 'pg']) writeFileSync(near.path(`${name}-ca.crt`), TEST_CA_PEM.slice(0, 200));
  await expect.poll(() => said(/the former stay/u)['s3.upstream.tls'], soon).toBeGreaterThanOrEqual(WORKERS);
  const { reason } =
    logged().find(({ peer, message }) => peer === 's3.upstream.tls' && /the former/u.test(String(message))) ?? {};
  expect(reason).toContain(`${near.path('s3-ca.crt')} holds no certificates`);
  expect(await objects('still')).toEqual(served());

  // Nothing here is of an authority that is trusted from now on.
  trust(CLIENT_CA);
  await expect.poll(() => said(/certificates renewed/u), soon).toEqual(everywhere(2));
  expect(await objects('none').then((names) => [...new Set(names)])).toEqual(['ServiceUnavailable']);
  await expect(session()).rejects.toMatchObject({ code: '08001' });
  expect((await open.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  await expect.poll(() => up.logged(), soon).toContain('an audit sink takes no records');
  await open.end();
});
