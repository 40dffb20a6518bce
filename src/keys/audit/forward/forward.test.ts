/** Copies of the audit log: real receivers, which go away and come back. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import { PROXY_CERTIFICATE_PEM, PROXY_KEY_PEM, TEST_CA_PEM } from '../../../../test/support/certificates.ts';
import { CLIENT_CA } from '../../../../test/support/client-certificates.ts';
import { keyFolder, TEST_USE as use, type KeyFolder } from '../../../../test/support/keys/keys.ts';
import type { KeyManager } from '../../key-manager.ts';
import { cursorPath } from './cursor.ts';
import { fileSink } from './file-sink.ts';
import { AuditForwarder, type ForwarderReports } from './forwarder.ts';
import { httpSink } from './http-sink.ts';
import type { AuditSink, ReceiverTls } from './sink.ts';
import { MAX_UDP_BYTES } from './syslog-message.ts';
import { syslogSink } from './syslog-sink.ts';

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

const linesOf = (path: string): string[] => readFileSync(path, 'utf8').trimEnd().split('\n');
const logOf = ({ options }: KeyFolder): string[] => linesOf(options.audit.path);
const QUIET: ForwarderReports = { failing: () => undefined, recovered: () => undefined, moved: () => undefined };
const RETRY = { first: 10, most: 50 };

type Changes = { readonly maxWaiting?: number; readonly reports?: ForwarderReports };

function forward(keys: KeyFolder, manager: KeyManager, sink: AuditSink, changes: Changes = {}): AuditForwarder {
  const { maxWaiting, reports = QUIET } = changes;
  const options = { feed: manager.auditFeed, name: 's', sink, maxWaiting, reports, retryMs: RETRY };
  return new AuditForwarder({ ...options, cursorPath: cursorPath(keys.options.audit.path, 's') });
}

async function uses(manager: KeyManager, count: number): Promise<void> {
  for (let n = 0; n < count; n++) await manager.createKey({}, use);
}

/** A run of the key manager with a sink beside it, as `sealgate up` has them. */
async function run(keys: KeyFolder, sink: AuditSink, count: number, changes: Changes = {}): Promise<void> {
  const manager = await keys.open();
  const forwarder = forward(keys, manager, sink, changes);
  await uses(manager, count);
  await manager.close();
  await forwarder.stop(60_000);
}

/** An HTTP collector; `status` says what it answers. */
async function collector(
  status: () => number = () => 200,
): Promise<{ url: string; bodies: string[]; heads: string[] }> {
  const [bodies, heads]: [string[], string[]] = [[], []];
  const server: Server = createHttpServer((request, response) => {
    void (async () => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      const code = status();
      heads.push(`${request.method} ${request.headers['content-type']} ${request.headers.authorization}`);
      if (code === 200) bodies.push(body);
      response.writeHead(code).end('thanks');
    })();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUp.push(
    () => server.closeAllConnections(),
    () => server.close(),
  );
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/in`, bodies, heads };
}

const linesIn = (bodies: readonly string[]): string[] => bodies.join('').split('\n').slice(0, -1);

describe('every sink', () => {
  test('a file gets each record once, over restarts, with the checkpoints', async () => {
    await using keys = await keyFolder();
    for (let round = 0; round < 3; round++) await run(keys, fileSink(keys.path('copy')), 3);
    expect(linesOf(keys.path('copy'))).toEqual(logOf(keys));
    expect(logOf(keys)).toHaveLength(3 * (2 * 3 + 1));
  });

  test('half a record that a full volume left stays a line of its own: none that comes after it is lost in it', async () => {
    await using keys = await keyFolder();
    writeFileSync(keys.path('copy'), '{"seq":0}\n{"seq":1,"half');
    await run(keys, fileSink(keys.path('copy')), 2);
    expect(linesOf(keys.path('copy'))).toEqual(['{"seq":0}', '{"seq":1,"half', ...logOf(keys)]);
  });

  test('a collector over HTTP gets them as lines of JSON, with the header it asks for', async () => {
    await using keys = await keyFolder();
    const { url, bodies, heads } = await collector();
    await run(keys, httpSink({ url, authorization: () => 'Splunk t' }), 5);
    expect(linesIn(bodies)).toEqual(logOf(keys));
    expect(new Set(heads)).toEqual(new Set(['POST application/x-ndjson Splunk t']));
  });

  test('one that is away gets what it missed, and its failing is told once', async () => {
    await using keys = await keyFolder();
    let status = 503;
    const { url, bodies, heads } = await collector(() => status);
    const told: string[] = [];
    const reports = {
      failing: (error: unknown) => told.push(String(error)),
      recovered: () => told.push('recovered'),
      moved: () => told.push('moved'),
    };
    const manager = await keys.open();
    const forwarder = forward(keys, manager, httpSink({ url }), { reports });
    await uses(manager, 2);
    await expect.poll(() => heads.length).toBeGreaterThan(3);
    expect(forwarder).toMatchObject({ isFailing: true, waiting: 4 });
    status = 200;
    await expect.poll(() => forwarder.waiting).toBe(0);
    await manager.close();
    await forwarder.stop(60_000);
    expect(linesIn(bodies)).toEqual(logOf(keys));
    expect(told).toEqual(['Error: the collector answered 503', 'recovered']);
  });

  test.each([undefined, '{}', '{"seq":1,"offset":3,"hash":"' + '0'.repeat(64) + '"}'])(
    'a cursor that is lost or does not fit (%s) sends again rather than leaves out',
    async (cursor) => {
      await using keys = await keyFolder();
      await run(keys, fileSink(keys.path('copy')), 2);
      const path = cursorPath(keys.options.audit.path, 's');
      if (cursor === undefined) rmSync(path);
      else writeFileSync(path, cursor);
      const first = logOf(keys);
      await run(keys, fileSink(keys.path('copy')), 1);
      expect(linesOf(keys.path('copy'))).toEqual([...first, ...logOf(keys)]);
    },
  );

  test('thousands of records come in order and in batches', async () => {
    await using keys = await keyFolder();
    const { url, bodies } = await collector();
    const manager = await keys.open();
    const { keyId } = await manager.createKey({}, use);
    await Promise.all(Array.from({ length: 5000 }, () => manager.describeKey(keyId, use)));
    const forwarder = forward(keys, manager, httpSink({ url }));
    await manager.close();
    await forwarder.stop(60_000);
    expect(linesIn(bodies)).toEqual(logOf(keys));
    expect(bodies.length).toBeGreaterThan(4);
  });

  test('one that never answers does not hold the end up', async () => {
    await using keys = await keyFolder();
    const server = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(server, 'listening');
    cleanUp.push(() => server.close());
    const manager = await keys.open();
    const forwarder = forward(
      keys,
      manager,
      httpSink({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` }),
    );
    await uses(manager, 1);
    await manager.close();
    await forwarder.stop(50);
    expect(forwarder.waiting).toBe(3);
  });
});

describe('a required sink', () => {
  test('that is too far behind stops the use of keys, and lets it go on once it has caught up', async () => {
    await using keys = await keyFolder();
    let status = 500;
    const { url, bodies } = await collector(() => status);
    const manager = await keys.open();
    const forwarder = forward(keys, manager, httpSink({ url }), { maxWaiting: 5 });
    await uses(manager, 3);
    const refused = expect.objectContaining({ code: 'ERR_KEYS_AUDIT_UNAVAILABLE' });
    await expect(manager.createKey({}, use)).rejects.toEqual(refused);
    await expect(manager.ready()).rejects.toEqual(refused);
    expect(logOf(keys)).toHaveLength(6);
    status = 200;
    await expect.poll(() => forwarder.waiting).toBe(0);
    await manager.ready();
    await uses(manager, 1);
    await manager.close();
    await forwarder.stop(60_000);
    expect(linesIn(bodies)).toEqual(logOf(keys));
  });
});

const TRUSTED: ReceiverTls = { ca: TEST_CA_PEM };

/** Sends 1, then 2 while its receiver's authority is another, then 3. */
async function refusesOnceDistrusted(sink: AuditSink, trust: (tls: ReceiverTls) => void): Promise<void> {
  const { signal } = new AbortController();
  const send = (seq: number) => sink.send([{ seq, bytes: Buffer.from(String(seq)) }], signal);
  await send(1);
  trust({ ca: CLIENT_CA });
  await expect(send(2)).rejects.toBeInstanceOf(Error);
  trust({ ...TRUSTED });
  await send(3);
}

/** A receiver of octet-counted messages; `closes` connections after so many bytes, at first. */
async function receiver(secure?: { readonly key: string; readonly cert: string }, closesAfter = Infinity) {
  const messages: string[] = [];
  let limit = closesAfter;
  const take = (socket: Socket): void => {
    let buffered = Buffer.alloc(0);
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      buffered = Buffer.concat([buffered, chunk]);
      if (buffered.length > limit) {
        limit = Infinity;
        socket.destroy();
        return;
      }
      for (;;) {
        const space = buffered.indexOf(' ');
        const length = Number(buffered.subarray(0, space).toString('latin1'));
        if (space < 1 || buffered.length < space + 1 + length) return;
        messages.push(buffered.subarray(space + 1, space + 1 + length).toString('utf8'));
        buffered = buffered.subarray(space + 1 + length);
      }
    });
  };
  const server = secure === undefined ? createServer(take) : createTlsServer(secure, take);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUp.push(() => server.close());
  return { port: (server.address() as AddressInfo).port, messages };
}

const HEAD = /^<(\d+)>1 (\d{4}-\d\d-\d\dT[\d:.]+Z) (\S+) sealgate (\d+) (\w+) - /u;
const textsOf = (messages: readonly string[]): string[] => messages.map((message) => message.replace(HEAD, ''));

test('Over HTTPS nothing more goes to a collector whose authority is trusted no more', async () => {
  const bodies: string[] = [];
  const pair = { key: PROXY_KEY_PEM, cert: PROXY_CERTIFICATE_PEM };
  const server = createHttpsServer(pair, (request, response) => {
    request.on('data', (piece: Buffer) => bodies.push(piece.toString()));
    request.on('end', () => response.end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUp.push(
    () => server.closeAllConnections(),
    () => server.close(),
  );
  let trusted: ReceiverTls = TRUSTED;
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/in`;
  const sink = httpSink({ url, tls: () => trusted });
  await refusesOnceDistrusted(sink, (now) => (trusted = now));
  expect(linesIn(bodies)).toEqual(['1', '3']);
  await sink.close();
});

describe('syslog', () => {
  test('over TCP: RFC 5424 messages, counted, with what was refused as warnings', async () => {
    await using keys = await keyFolder();
    const { port, messages } = await receiver();
    const manager = await keys.open();
    const forwarder = forward(keys, manager, syslogSink({ host: '127.0.0.1', port, transport: 'tcp' }));
    await uses(manager, 1);
    await manager.describeKey('alias/none', use).catch(() => undefined);
    await manager.close();
    await forwarder.stop(60_000);
    await expect.poll(() => messages.length).toBe(4);
    expect(textsOf(messages)).toEqual(logOf(keys));
    expect(
      messages.map((message) =>
        HEAD.exec(message)
          ?.slice(1, 2)
          .concat(HEAD.exec(message)?.[5] ?? ''),
      ),
    ).toEqual([
      ['110', 'CreateKey'],
      ['110', 'CreateKey'],
      ['108', 'DescribeKey'],
      ['110', 'AuditCheckpoint'],
    ]);
  });

  test('over TCP: a connection that breaks loses nothing', async () => {
    await using keys = await keyFolder();
    const { port, messages } = await receiver(undefined, 2000);
    const manager = await keys.open();
    const forwarder = forward(keys, manager, syslogSink({ host: '127.0.0.1', port, transport: 'tcp' }));
    for (let n = 0; n < 20; n++) {
      await uses(manager, 1);
      await expect.poll(() => forwarder.waiting).toBe(0);
    }
    await manager.close();
    await forwarder.stop(60_000);
    await expect.poll(() => new Set(textsOf(messages)).size).toBe(logOf(keys).length);
    expect([...new Set(textsOf(messages))]).toEqual(logOf(keys));
  });

  test('over TLS: only to a receiver whose certificate is of the CA told', async () => {
    await using keys = await keyFolder();
    const { port, messages } = await receiver({ key: PROXY_KEY_PEM, cert: PROXY_CERTIFICATE_PEM });
    const told: unknown[] = [];
    const reports = { ...QUIET, failing: (error: unknown) => told.push(error) };
    const tls = { host: '127.0.0.1', port, transport: 'tls' } as const;
    await run(keys, syslogSink(tls), 1, { reports });
    expect([messages, told]).toEqual([
      [],
      [expect.objectContaining({ code: expect.stringMatching(/SIGNED|UNABLE|CERT/u) })],
    ]);
    await run(keys, syslogSink({ ...tls, tls: () => TRUSTED }), 1);
    await expect.poll(() => messages.length).toBe(6);
    expect(textsOf(messages)).toEqual(logOf(keys));
  });

  test('over TLS: nothing more goes over a connection to one whose authority is trusted no more', async () => {
    const { port, messages } = await receiver({ key: PROXY_KEY_PEM, cert: PROXY_CERTIFICATE_PEM });
    let trusted: ReceiverTls = TRUSTED;
    const sink = syslogSink({ host: '127.0.0.1', port, transport: 'tls', tls: () => trusted });
    await refusesOnceDistrusted(sink, (now) => (trusted = now));
    // What may have been under way on the connection that was left comes again.
    await expect.poll(() => messages.length).toBeGreaterThanOrEqual(3);
    expect(new Set(messages.map((message) => message.at(-1)))).toEqual(new Set(['1', '3']));
    await sink.close();
  });

  test('over UDP: a datagram for each record, cut where it would be too long for one', async () => {
    await using keys = await keyFolder();
    const socket = createSocket('udp4');
    const messages: string[] = [];
    socket.on('message', (message) => messages.push(message.toString('utf8')));
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    cleanUp.push(() => socket.close());
    const manager = await keys.open();
    const { port } = socket.address();
    const forwarder = forward(keys, manager, syslogSink({ host: '127.0.0.1', port, transport: 'udp' }));
    const { keyId } = await manager.createKey({}, use);
    const context = Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`k${n}`, '\u0001'.repeat(120)]));
    await manager.generateDataKey({ keyId, context }, use);
    await manager.close();
    await forwarder.stop(60_000);
    await expect.poll(() => messages.length).toBe(4);
    const expected = logOf(keys);
    textsOf(messages).forEach((text, n) => expect(expected[n]?.startsWith(text)).toBe(true));
    expect(messages.every((message) => Buffer.byteLength(message) <= MAX_UDP_BYTES)).toBe(true);
  });
});

describe('a log that is rotated', () => {
  const audit = (keys: KeyFolder) => ({ ...keys.options.audit, rotateAtBytes: 3000 });
  const rotatedOf = (keys: KeyFolder): string[] =>
    readdirSync(keys.folder)
      .filter((name) => /^audit\.log\.\d{16}$/.test(name))
      .toSorted()
      .map((name) => keys.path(name));
  const wholeOf = (keys: KeyFolder): string[] => [...rotatedOf(keys), keys.options.audit.path].flatMap(linesOf);

  test('gets to a sink record by record, whether it keeps up, is slow or starts again', async () => {
    await using keys = await keyFolder();
    for (let round = 0; round < 3; round++) {
      const manager = await keys.open({ audit: audit(keys) });
      const copy = fileSink(keys.path('copy'));
      const slow: AuditSink = { ...copy, send: async (lines, signal) => (await sleep(20), copy.send(lines, signal)) };
      const forwarder = forward(keys, manager, round === 1 ? slow : copy);
      await uses(manager, 20);
      await manager.close();
      await forwarder.stop(60_000);
    }
    expect(rotatedOf(keys).length).toBeGreaterThan(9);
    expect(linesOf(keys.path('copy'))).toEqual(wholeOf(keys));
  });

  test('says what was moved away before a sink had it, and a sink that had it misses nothing', async () => {
    await using keys = await keyFolder();
    const told: unknown[] = [];
    const reports = { ...QUIET, moved: (records: unknown) => told.push(records) };
    let isAway = false;
    const copy = fileSink(keys.path('copy'));
    const send: AuditSink['send'] = (lines, signal) =>
      isAway ? Promise.reject(new Error('away')) : copy.send(lines, signal);
    const manager = await keys.open({ audit: audit(keys) });
    const forwarder = forward(keys, manager, { ...copy, send }, { reports });
    await uses(manager, 20);
    await expect.poll(() => forwarder.waiting).toBe(0);
    for (const file of rotatedOf(keys)) renameSync(file, `${file}.away`);
    await uses(manager, 3);
    await expect.poll(() => forwarder.waiting).toBe(0);
    expect(told).toEqual([]);
    isAway = true;
    const had = linesOf(keys.path('copy')).length;
    await uses(manager, 20);
    const gone = rotatedOf(keys).slice(0, -1);
    const first = Number((JSON.parse(linesOf(gone[0] ?? '')[0] ?? '') as { seq: number }).seq);
    for (const file of gone) renameSync(file, `${file}.away`);
    isAway = false;
    await manager.close();
    await forwarder.stop(60_000);
    const copied = linesOf(keys.path('copy')).map((line) => (JSON.parse(line) as { seq: number }).seq);
    const next = copied[had] ?? 0;
    expect(first).toBeLessThanOrEqual(had + 1);
    expect(told).toEqual([{ first: had + 1, last: next - 1 }]);
    expect(copied.slice(had)).toEqual(copied.slice(had).map((_, at) => next + at));
  });

  test('goes on to a required sink where a file that waited for it is moved away', async () => {
    await using keys = await keyFolder();
    const told: unknown[] = [];
    const reports = { ...QUIET, moved: (records: unknown) => told.push(records) };
    let isAway = true;
    const copy = fileSink(keys.path('copy'));
    const send: AuditSink['send'] = (lines, signal) =>
      isAway ? Promise.reject(new Error('away')) : copy.send(lines, signal);
    const manager = await keys.open({ audit: audit(keys) });
    const forwarder = forward(keys, manager, { ...copy, send }, { reports, maxWaiting: 20 });
    await expect(uses(manager, 40)).rejects.toMatchObject({ code: 'ERR_KEYS_AUDIT_UNAVAILABLE' });
    await expect.poll(() => forwarder.isFailing).toBe(true);
    const [gone = ''] = rotatedOf(keys);
    const last = linesOf(gone).length;
    rmSync(gone);
    // Another attempt that fails, of what is here still.
    await sleep(4 * RETRY.most);
    isAway = false;
    await expect.poll(() => forwarder.waiting).toBe(0);
    await uses(manager, 1);
    await manager.close();
    await forwarder.stop(60_000);
    expect(linesOf(keys.path('copy'))).toEqual(wholeOf(keys));
    // A sink that never had anything begins with what is here.
    expect(told).toEqual([]);
    expect(last).toBeGreaterThan(1);
  });
});
