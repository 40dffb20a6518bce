import { expect, test } from 'vitest';
import { KEYS, loadText as load, problemsOf as problems } from '../../../test/support/config.ts';
import { certificate, CLIENT_CA, CLIENT_CRL } from '../../../test/support/client-certificates.ts';

test.each([
  ['{ url: "postgres://u@db/x" }', '6:20 VALUE postgres.upstream.url'],
  ['{ url: "postgres://db?target=1" }', '6:20 VALUE postgres.upstream.url'],
  ['{ url: "postgres://db:5", port: 6 }', '6:45 CONTRADICTION postgres.upstream.port'],
  ['{ host: a, socket: b }', '6:24 VALUE postgres.upstream.socket'],
  ['{}', '6:13 MISSING postgres.upstream'],
  ['{ host: a, tls: { certFile: c } }', '6:31 VALUE postgres.upstream.tls.certFile'],
  ['{ url: "postgres://a,b:1,c:2/?port=3,4" }', '6:20 VALUE postgres.upstream.url'],
  ['{ url: "postgres://a?sslmode=maybe" }', '6:20 VALUE postgres.upstream.url'],
  ['{ url: "postgres://a?sslnegotiation=direct" }', '6:20 VALUE postgres.upstream.url'],
  ['{ url: "postgres://a?sslrootcert=system&sslmode=require" }', '6:20 VALUE postgres.upstream.url'],
  ['{ url: "postgres://a?sslcert=x" }', '6:20 VALUE postgres.upstream.url'],
  ['{ url: "postgres://a:70000" }', '6:20 VALUE postgres.upstream.url'],
  ['{ url: "postgres://a?options=-c%20x" }', '6:20 VALUE postgres.upstream.url'],
  ['{ url: "postgres://a?sslmode=require", tls: { mode: prefer } }', '6:65 CONTRADICTION postgres.upstream.tls.mode'],
  ['{ url: "postgres://a,b/?target_session_attrs=primary" }', '6:20 CONTRADICTION postgres.upstream.url'],
])('Upstream %s', async (upstream, expected) => {
  expect(await problems(`${KEYS}postgres:\n  listen: { port: 0 }\n  upstream: ${upstream}\n`)).toEqual([expected]);
});

test.each([
  [
    'url: "postgres://a:1,b/?sslmode=verify-ca&sslrootcert=ca.pem&target_session_attrs=primary&load_balance_hosts=random&connect_timeout=1"',
  ],
  [
    'url: "host=a,b port=1,5432 sslmode=verify-ca sslrootcert=ca.pem target_session_attrs=primary load_balance_hosts=random connect_timeout=1"',
  ],
])('An upstream of several servers: %s', async (url) => {
  const text = `${KEYS}postgres:
  listen: { port: 0 }
  upstream: { ${url} }
  databases: [{ name: app, service: { user: gate } }]
`;
  const { postgres } = await load(text, { files: { '/etc/gate/ca.pem': CLIENT_CA } });
  expect(postgres?.upstream).toMatchObject({
    servers: [
      { host: 'a', port: 1 },
      { host: 'b', port: 5432 },
    ],
    tls: { mode: 'verify-ca', ca: CLIENT_CA },
    target: 'primary',
    order: 'random',
    connectTimeoutSeconds: 2,
  });
  expect(postgres?.databases[0]?.service.servers).toEqual(postgres?.upstream.servers);
});

test('Databases on other servers, a Unix socket alone, roles with certificates, and who reads verifiers', async () => {
  const text = `${KEYS}postgres:
  listen: { port: 5433, socket: run, tls: { certFile: a.pem, keyFile: a.key, clientCaFile: ca.pem, clientCrlFile: ca.crl, clientCertificates: optional } }
  upstream: { host: a }
  databases: [{ name: app, service: { user: gate } }, { name: old, upstream: { host: b } }]
  users: [{ name: app, certificates: [{ subject: CN=app }, { name: "DNS:app.test" }], password: p }]
  verifiers: { user: auth, password: q, query: select f($1) }
  replication: pass
`;
  const { postgres } = await load(text, {
    files: {
      '/etc/gate/a.pem': certificate('app').cert,
      '/etc/gate/a.key': certificate('app').key,
      '/etc/gate/ca.pem': CLIENT_CA,
      '/etc/gate/ca.crl': CLIENT_CRL,
    },
  });
  expect(postgres).toMatchObject({
    listen: { host: undefined, socket: expect.stringMatching(/\/run$/), tls: { clients: { required: false } } },
    routes: [{ database: 'old', upstream: { servers: [{ host: 'b', port: 5432 }] } }],
    databases: [{ name: 'app' }],
    verifiers: { query: 'select f($1)', service: { user: 'auth', database: 'postgres', servers: [{ host: 'a' }] } },
    replication: 'pass',
  });
  expect(postgres?.users[0]?.certificates).toEqual([
    { type: 'subject', subject: 'CN=app' },
    { type: 'name', name: 'DNS:app.test' },
  ]);
  expect(postgres?.users[0]?.password?.reveal()).toBe('p');
});

test.each([
  ['listen: { port: 0, socket: run }', '5:19 CONTRADICTION postgres.listen.port'],
  [
    'listen: { port: 1 }\n  users: [{ name: a, certificates: [{ subject: CN=a }] }]',
    '6:22 CONTRADICTION postgres.users[0].certificates',
  ],
  [
    'listen: { port: 1 }\n  users: [{ name: a, verifier: "SCRAM-SHA-256$1:a$b:c", password: x }]',
    '6:57 CONTRADICTION postgres.users[0].password',
  ],
  ['listen: { port: 1 }\n  databases: [{ name: a }]', '6:15 MISSING postgres.databases[0]'],
])('Postgres %s', async (section, expected) => {
  expect(await problems(`${KEYS}postgres:\n  ${section}\n  upstream: { host: a }\n`)).toEqual([expected]);
});

test('A Unix socket is served by one process', async () => {
  const text = `${KEYS}postgres:\n  listen: { port: 1, socket: run }\n  upstream: { host: a }\nworkers: 2\n`;
  expect(await problems(text)).toEqual(['5:30 CONTRADICTION postgres.listen.socket']);
});
