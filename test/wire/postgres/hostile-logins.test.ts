/**
 * Logins that nobody means: clients and servers that break SCRAM, come with a second startup packet, with lengths that lie, or with errors that say
 * nothing. Whoever does ends his own connection, is told why where he can be, learns no password, and others log in as before.
 */
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import pg from 'pg';
import { serialize } from 'pg-protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectTo } from '../../support/postgres/connect.ts';
import type { AuthenticationOptions } from '../../../src/postgres/options.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';
import { errorOf, RawClient, startTestProxy, types, type TestProxy } from '../../support/postgres/proxy.ts';

const PASSWORD = 'ann-secret';
const STARTUP = serialize.startup({ user: 'ann', database: 'postgres' });

let server: TestPostgres;
let verifier = '';
let terminate: AuthenticationOptions;
let proxy: TestProxy;

beforeAll(async () => {
  server = await startPostgres();
  const admin = await connectTo(server.url());
  await admin.query(`SET password_encryption = 'scram-sha-256'; CREATE ROLE ann LOGIN PASSWORD '${PASSWORD}'`);
  const { rows } = await admin.query<{ rolpassword: string }>(
    "SELECT rolpassword FROM pg_authid WHERE rolname = 'ann'",
  );
  verifier = rows[0]?.rolpassword ?? '';
  await admin.end();
  terminate = { type: 'terminate', verifiers: { verifier: () => Promise.resolve(verifier) } };
  proxy = await startTestProxy(server, { authentication: terminate });
});
afterAll(async () => {
  await proxy.close();
  await server.stop();
});

function frame(type: string, ...parts: readonly (string | Uint8Array)[]): Buffer {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part as string)));
  const head = Buffer.from([type.charCodeAt(0), 0, 0, 0, 0]);
  head.writeUInt32BE(4 + body.length, 1);
  return Buffer.concat([head, body]);
}

function int(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

/** What is wrong with the process, as opposed to with who speaks to it. */
const bugs = ({ log }: TestProxy) => log.filter(({ level }) => level === 'error');

async function others(): Promise<void> {
  const client = await connectTo(proxy.url('postgres', 'ann', PASSWORD));
  await client.query('SELECT 1');
  await client.end();
}

describe('a client', () => {
  const FIRST = 'n,,n=,r=abcdefghijklmnop';
  const initial = (mechanism: string, length: number, text: string): Buffer =>
    frame('p', mechanism, '\0', int(length), text);

  test.each<readonly [string, Uint8Array]>([
    ['a second startup packet', STARTUP],
    ['a request for TLS', serialize.requestSsl()],
    ['a Query', serialize.query('SELECT 1')],
    ['an empty answer', frame('p')],
    ['a mechanism without its end', frame('p', 'SCRAM-SHA-256')],
    ['a mechanism that there is not', initial('SCRAM-MD5', FIRST.length, FIRST)],
    ['channel binding without TLS', initial('SCRAM-SHA-256-PLUS', FIRST.length, FIRST)],
    ['no first message', initial('SCRAM-SHA-256', -1, '')],
    ['a first message of a negative length', initial('SCRAM-SHA-256', -7, FIRST)],
    ['a first message longer than it is', initial('SCRAM-SHA-256', 0x7fffffff, FIRST)],
    ['bytes behind the first message', initial('SCRAM-SHA-256', 3, FIRST)],
    ['a first message that is none', initial('SCRAM-SHA-256', 3, 'abc')],
    ['its password', serialize.password(PASSWORD)],
    ['a length below its own', Uint8Array.of(0x70, 0, 0, 0, 3)],
    ['a length beyond all', Uint8Array.of(0x70, 0x7f, 0xff, 0xff, 0xff)],
  ])('that answers SCRAM with %s', async (_what, bytes) => {
    const client = await RawClient.connect(proxy.port);
    client.send(STARTUP);
    expect((await client.message())?.type).toBe('R');
    client.send(bytes);
    const said = await client.untilClosed();
    expect([types(said), errorOf(said)['S']]).toEqual(['E', 'FATAL']);
    await others();
    expect(bugs(proxy)).toEqual([]);
  });

  test.each<readonly [string, (challenge: string) => Uint8Array]>([
    ['a second startup packet', () => STARTUP],
    ['a Query', () => serialize.query('SELECT 1')],
    ['nothing', () => frame('p')],
    ['no proof', (challenge) => frame('p', `c=biws,${challenge.split(',')[0] ?? ''}`)],
    ['a proof of zeros', (challenge) => frame('p', `c=biws,${challenge.split(',')[0] ?? ''},p=${'A'.repeat(43)}=`)],
    ['a proof too short', (challenge) => frame('p', `c=biws,${challenge.split(',')[0] ?? ''},p=AAAA`)],
    ['another nonce', () => frame('p', `c=biws,r=abc,p=${'A'.repeat(43)}=`)],
    ['another channel', (challenge) => frame('p', `c=eSws,${challenge.split(',')[0] ?? ''},p=${'A'.repeat(43)}=`)],
    ['its first message again', () => initial('SCRAM-SHA-256', FIRST.length, FIRST)],
  ])('that answers the challenge with %s', async (_what, answer) => {
    const client = await RawClient.connect(proxy.port);
    client.send(STARTUP);
    await client.message();
    client.send(initial('SCRAM-SHA-256', FIRST.length, FIRST));
    const challenge = await client.message();
    expect([challenge?.type, challenge?.body.readInt32BE(0)]).toEqual(['R', 11]);
    client.send(answer(challenge?.body.toString('latin1', 4) ?? ''));
    const said = await client.untilClosed();
    expect([types(said), errorOf(said)['S']]).toEqual(['E', 'FATAL']);
    await others();
    expect(bugs(proxy)).toEqual([]);
  });
});

/** `R` with what it asks for or says. */
const asks = (kind: number, ...rest: readonly (string | Uint8Array)[]): Buffer => frame('R', int(kind), ...rest);
const WELCOME = Buffer.concat([asks(0), frame('Z', 'I')]);
const SASL = asks(10, 'SCRAM-SHA-256\0\0');

/** What the server says to each message it gets: to the startup packet, to the first message (of which it knows the nonce), to the proof. */
type Liar = readonly [Uint8Array, ((nonce: string) => Uint8Array)?, (Uint8Array | (() => Uint8Array))?];

function challenge(change: { nonce?: string; salt?: string; iterations?: string }): (nonce: string) => Buffer {
  const [, iterations = '', salt = ''] = /^SCRAM-SHA-256\$(\d+):([^$]+)\$/u.exec(verifier) ?? [];
  return (nonce) =>
    asks(11, `r=${change.nonce ?? `${nonce}more`},s=${change.salt ?? salt},i=${change.iterations ?? iterations}`);
}

async function startLiar([first, second, third]: Liar) {
  const got: Buffer[] = [];
  const open = new Set<Socket>();
  const liar = createServer((socket) => {
    open.add(socket);
    let heard = 0;
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => {
      got.push(bytes);
      heard += 1;
      const nonce = /r=([!-~]+)/u.exec(bytes.toString('latin1'))?.[1] ?? '';
      const answer =
        heard === 1 ? first : heard === 2 ? second?.(nonce) : typeof third === 'function' ? third() : third;
      if (answer === undefined) socket.end();
      else socket.write(answer);
    });
  });
  await once(liar.listen(0, '127.0.0.1'), 'listening');
  const { port } = liar.address() as AddressInfo; // a listening TCP server has one
  return {
    port,
    got: () => Buffer.concat(got).toString('latin1'),
    openSockets: () => [...open].filter((socket) => !socket.destroyed).length,
    close: () => liar.close(),
  };
}

describe('a server', () => {
  test('that knows the password lets the client in: none of those below fails for another reason', async () => {
    const [, serverKey = ''] = /:([^:]+)$/u.exec(verifier) ?? [];
    const proof = (clientFirst: string, serverFirst: string): Buffer => {
      const [, full = ''] = /^(r=[^,]+)/u.exec(serverFirst) ?? [];
      const authMessage = `${clientFirst},${serverFirst},c=biws,${full}`;
      return createHmac('sha256', Buffer.from(serverKey, 'base64')).update(authMessage).digest();
    };
    let nonce = '';
    const first = challenge({});
    const honest = await startLiar([
      SASL,
      (ours) => first((nonce = ours)),
      () => {
        const signature = proof(`n=,r=${nonce}`, first(nonce).toString('latin1', 9)).toString('base64');
        return Buffer.concat([asks(12, `v=${signature}`), WELCOME]);
      },
    ]);
    const upstream = { servers: [{ host: '127.0.0.1', port: honest.port }], tls: { mode: 'disable' } } as const;
    const between = await startTestProxy(server, { upstream, authentication: terminate });
    const client = new pg.Client({ connectionString: between.url('postgres', 'ann', PASSWORD) });
    client.on('error', () => undefined);
    await client.connect();
    await client.end();
    await between.close();
    honest.close();
  });

  test.each<readonly [string, () => Liar]>([
    ['that asks for the password', () => [asks(3), () => WELCOME]],
    ['that asks for its MD5', () => [asks(5, 'salt'), () => WELCOME]],
    ['that knows no mechanism', () => [asks(10, '\0'), () => WELCOME]],
    ['that knows another mechanism', () => [asks(10, 'SCRAM-MD5\0\0'), () => WELCOME]],
    ['whose list of mechanisms has no end', () => [asks(10, 'SCRAM-SHA-256'), () => WELCOME]],
    ['that asks for something unknown', () => [asks(99), () => WELCOME]],
    ['that asks for nothing', () => [frame('R')]],
    ['that begins with its challenge', () => [challenge({})('abc'), () => WELCOME]],
    ['that lets in who has not proved anything', () => [SASL, () => WELCOME]],
    ['whose nonce is not ours', () => [SASL, challenge({ nonce: 'another' }), WELCOME]],
    ['whose nonce is without end', () => [SASL, challenge({ nonce: 'x'.repeat(60_000) }), WELCOME]],
    ['whose salt is another', () => [SASL, challenge({ salt: 'AAAA' }), WELCOME]],
    ['that wants two thousand million rounds', () => [SASL, challenge({ iterations: '2147483647' }), WELCOME]],
    ['that wants no rounds', () => [SASL, challenge({ iterations: '0' }), WELCOME]],
    ['whose challenge is none', () => [SASL, () => asks(11, 'abc'), WELCOME]],
    ['that does not prove itself', () => [SASL, challenge({}), WELCOME]],
    ['whose proof is wrong', () => [SASL, challenge({}), Buffer.concat([asks(12, `v=${'A'.repeat(43)}=`), WELCOME])]],
    ['whose error has no SQLSTATE', () => [frame('E', 'SFATAL\0Mno\0\0')]],
    ['whose error says nothing', () => [frame('E', '\0')]],
    ['whose error has no body', () => [frame('E')]],
    ['whose error has no end', () => [frame('E', 'SFATAL')]],
    ['that says a length below its own', () => [Uint8Array.of(0x52, 0, 0, 0, 3)]],
    ['that says a length beyond all', () => [Uint8Array.of(0x52, 0x7f, 0xff, 0xff, 0xff)]],
    ['that speaks another protocol', () => [Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')]],
  ])('%s', async (_what, lies) => {
    const liar = await startLiar(lies());
    const upstream = { servers: [{ host: '127.0.0.1', port: liar.port }], tls: { mode: 'disable' } } as const;
    const between = await startTestProxy(server, { upstream, authentication: terminate });
    const client = new pg.Client({ connectionString: between.url('postgres', 'ann', PASSWORD) });
    client.on('error', () => undefined);
    await expect(client.connect()).rejects.toBeInstanceOf(Error);
    await expect.poll(() => [between.connections, liar.openSockets()]).toEqual([0, 0]);
    expect(liar.got()).not.toContain(PASSWORD);
    expect(bugs(between)).toEqual([]);
    await between.close();
    liar.close();
  });
});
