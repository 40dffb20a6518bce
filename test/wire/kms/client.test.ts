/** The client of a key manager elsewhere, against a real one; and against servers that answer wrongly, or not at all. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { freePort } from '../../../src/cli/demo/servers.ts';
import { KmsClient } from '../../../src/kms/client/kms-client.ts';
import type { PeerTls } from '../../../src/http/peer-agent.ts';
import type { KmsTransportOptions } from '../../../src/kms/client/transport.ts';
import type { KmsTls } from '../../../src/kms/server.ts';
import { fixedCredentials } from '../../../src/sigv4/credentials.ts';
import { certificate, CLIENT_CA } from '../../support/client-certificates.ts';
import { CALLER, REGION, send, signKms, startKms } from '../../support/kms/edge.ts';
import { start } from '../../support/run.ts';
import { SERVER_CA, SERVER_CRL, serverCertificate, type ServerName } from '../../support/server-certificates.ts';

/** Reached only by what would wait for ever. */
const PATIENCE_MS = 60_000;
const context = { 'aws:s3:arn': 'arn:aws:s3:::b/k', more: 'ä\u{1f600}' };

function clientOf(url: string, changes: Partial<KmsTransportOptions> = {}): KmsClient {
  return new KmsClient({
    endpoint: new URL(url),
    region: REGION,
    credentials: fixedCredentials(CALLER),
    timeoutMs: PATIENCE_MS,
    now: Date.now,
    ...changes,
  });
}

describe('a key manager over plain HTTP on this machine', () => {
  test('makes data keys, opens them, moves them to other keys, and says what keys are', async () => {
    await using kms = await startKms();
    const client = clientOf(kms.url);
    const [first, second] = [await kms.key(), await kms.key()];
    const made = await client.generateDataKey({ keyId: first, context });
    expect([made.plaintext.length, made.keyArn]).toEqual([32, `arn:aws:kms:${REGION}:123456789012:key/${first}`]);
    const opened = await client.decrypt({ wrapped: made.wrapped, context });
    expect(opened).toEqual({ plaintext: made.plaintext, keyArn: made.keyArn });
    const moved = await client.reEncrypt({
      ...{ wrapped: made.wrapped, sourceContext: context },
      ...{ destinationKeyId: second, destinationContext: {} },
    });
    expect([moved.sourceKeyArn, moved.keyArn.endsWith(second)]).toEqual([made.keyArn, true]);
    const again = await client.decrypt({ wrapped: moved.wrapped, context: {}, keyId: second });
    expect(again.plaintext).toEqual(made.plaintext);
    expect(await client.describeKey(first)).toEqual({
      arn: made.keyArn,
      state: 'Enabled',
      spec: 'SYMMETRIC_DEFAULT',
    });
    await client.close();
  });

  test('refuses under the codes that the same refusals have here', async () => {
    await using kms = await startKms();
    const client = clientOf(kms.url);
    const [key, other] = [await kms.key(), await kms.key()];
    const { wrapped } = await client.generateDataKey({ keyId: key, context });
    const code = (failing: Promise<unknown>): Promise<unknown> =>
      failing.then(
        () => 'none',
        (error: unknown) => (error as { code: string }).code,
      );
    expect(await code(client.decrypt({ wrapped, context: {} }))).toBe('ERR_KEYS_CIPHERTEXT_INVALID');
    expect(await code(client.decrypt({ wrapped, context, keyId: other }))).toBe('ERR_KEYS_INCORRECT_KEY');
    expect(await code(client.describeKey('alias/none'))).toBe('ERR_KEYS_NOT_FOUND');
    const { json } = await kms.call('CreateKey', { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' });
    const mac = (json?.['KeyMetadata'] as { KeyId: string }).KeyId;
    expect(await code(client.generateDataKey({ keyId: mac, context }))).toBe('ERR_KEYS_KEY_USAGE');
    await kms.call('DisableKey', { KeyId: key });
    expect(await code(client.decrypt({ wrapped, context }))).toBe('ERR_KEYS_DISABLED');
    await kms.call('ScheduleKeyDeletion', { KeyId: key });
    expect(await code(client.generateDataKey({ keyId: key, context }))).toBe('ERR_KEYS_INVALID_STATE');
    for (const credentials of [
      { ...CALLER, secretAccessKey: 'another' },
      { ...CALLER, accessKeyId: 'NOBODY' },
    ]) {
      const stranger = clientOf(kms.url, { credentials: fixedCredentials(credentials) });
      expect(await code(stranger.describeKey(other))).toBe('ERR_KEYS_REMOTE_REFUSED');
      await stranger.close();
    }
    await client.close();
  });
});

test('a key manager of others (moto), whose wrapped keys look otherwise', async ({ skip }) => {
  // It knows no --version.
  if (spawnSync('moto_server', ['--help'], { stdio: 'ignore' }).status !== 0)
    skip("not on the PATH: moto_server (pip install 'moto[server]')");
  const port = await freePort();
  const moto = start('moto_server', ['-H', '127.0.0.1', '-p', String(port)]);
  const client = clientOf(`http://127.0.0.1:${port}`, { timeoutMs: PATIENCE_MS });
  try {
    const body = Buffer.from('{}');
    const headers = signKms(port, body, { action: 'CreateKey' });
    const made = await expect
      .poll(() => send({ port, tls: false }, headers, body).catch(() => undefined))
      .toBeDefined()
      .then(() => send({ port, tls: false }, headers, body));
    const { KeyId: keyId, Arn: arn } = made.json?.['KeyMetadata'] as { KeyId: string; Arn: string };
    const { plaintext, wrapped, keyArn } = await client.generateDataKey({ keyId, context });
    expect([plaintext.length, keyArn]).toEqual([32, arn]);
    expect(await client.decrypt({ wrapped, context })).toEqual({ plaintext, keyArn });
    await expect(client.decrypt({ wrapped, context: {} })).rejects.toMatchObject({
      code: 'ERR_KEYS_CIPHERTEXT_INVALID',
    });
    expect(await client.describeKey(keyId)).toEqual({ arn, state: 'Enabled', spec: 'SYMMETRIC_DEFAULT' });
  } finally {
    await client.close();
    moto.child.kill('SIGKILL');
    await moto.done;
  }
});

describe('a key manager over TLS', () => {
  const tlsOf = (name: ServerName, required: boolean): KmsTls => {
    const { cert, key } = serverCertificate(name);
    return { certificate: cert, privateKey: key, clients: { ca: CLIENT_CA, crl: undefined, required } };
  };
  const APP = { type: 'name', name: 'URI:spiffe://acme.test/app', principal: CALLER.principal } as const;

  test('knows us by a client certificate, without a signature', async () => {
    await using kms = await startKms({ tls: tlsOf('good', true), certificates: [APP], accessKeys: [] });
    const admin = await kms.keys.createKey({}, { principal: CALLER.principal, via: 'cli', resource: 'test' });
    const { cert, key } = certificate('app');
    const tls = { ca: SERVER_CA, crl: SERVER_CRL, cert, key };
    const client = new KmsClient({
      endpoint: new URL(kms.url),
      region: REGION,
      tls: () => tls,
      timeoutMs: PATIENCE_MS,
      now: Date.now,
    });
    const { wrapped, plaintext } = await client.generateDataKey({ keyId: admin.keyId, context });
    expect((await client.decrypt({ wrapped, context })).plaintext).toEqual(plaintext);
    expect(kms.outcomes.at(-1)).toMatchObject({ action: 'Decrypt', result: 'success', principal: CALLER.principal });
    await client.close();
  });

  test('is asked nothing more once its authority, or its certificate, is trusted no more', async () => {
    await using kms = await startKms({ tls: tlsOf('revoked', false) });
    let tls: PeerTls = { ca: SERVER_CA };
    const client = clientOf(kms.url, { tls: () => tls });
    const keyId = await kms.key();
    for (const other of [{ ca: CLIENT_CA }, { ca: SERVER_CA, crl: SERVER_CRL }]) {
      tls = { ca: SERVER_CA };
      expect(await client.describeKey(keyId)).toMatchObject({ state: 'Enabled' });
      tls = other;
      const asked = kms.outcomes.length;
      await expect(client.describeKey(keyId)).rejects.toMatchObject({ code: 'ERR_KEYS_REMOTE_UNAVAILABLE' });
      expect(kms.outcomes).toHaveLength(asked);
    }
    await client.close();
  });

  test.each(['foreign', 'expired', 'revoked', 'wrong-purpose', 'future'] as const)(
    'refuses our client certificate where it is %s',
    async (name) => {
      const { cert, key } = serverCertificate('good');
      const clients = { ca: CLIENT_CA, crl: undefined, required: true };
      await using kms = await startKms({ tls: { certificate: cert, privateKey: key, clients }, certificates: [APP] });
      const tls = { ca: SERVER_CA, ...certificate(name) };
      const client = clientOf(kms.url, { tls: () => tls });
      // Its list is what makes `revoked` one: with it the handshake ends, without it the signature says who asks.
      const outcome = await client.describeKey('alias/x').catch((error: unknown) => (error as { code: string }).code);
      expect(outcome).toMatch(name === 'revoked' ? /NOT_FOUND/u : /^ERR_KEYS_REMOTE_(?:REFUSED|UNAVAILABLE)$/u);
      await client.close();
    },
  );

  test.each(['foreign', 'expired', 'revoked', 'wrong-purpose', 'future', 'other-host', 'self-signed'] as const)(
    'is not believed with a certificate that is %s, and gets no request',
    async (name) => {
      await using kms = await startKms({ tls: { ...tlsOf(name, false) } });
      const tls = { ca: SERVER_CA, crl: SERVER_CRL };
      const client = clientOf(kms.url, { tls: () => tls });
      await expect(client.describeKey('alias/x')).rejects.toMatchObject({
        code: 'ERR_KEYS_REMOTE_UNAVAILABLE',
        message: expect.stringContaining('certificate is not accepted'),
      });
      expect(kms.outcomes).toEqual([]);
      await client.close();
    },
  );

  test('is not believed under the well-known authorities alone', async () => {
    await using kms = await startKms({ tls: tlsOf('good', false) });
    const client = clientOf(kms.url);
    await expect(client.describeKey('alias/x')).rejects.toMatchObject({ code: 'ERR_KEYS_REMOTE_UNAVAILABLE' });
    await client.close();
  });
});

describe('a server that is no good key manager', () => {
  async function serve(listener: RequestListener) {
    const server = createServer(listener).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const url = `http://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}`;
    return { url, [Symbol.asyncDispose]: async () => void server.close().closeAllConnections() };
  }
  const arn = 'arn:aws:kms:eu-central-1:123456789012:key/11111111-1111-4111-8111-111111111111';
  const key = randomBytes(32).toString('base64');

  test.each([
    ['no JSON', 'hello'],
    ['nothing', ''],
    ['another structure', '{}'],
    ['no key', JSON.stringify({ KeyId: arn })],
    ['an ARN that is none', JSON.stringify({ KeyId: `${arn}\n`, Plaintext: key })],
    ['an ARN of something else', JSON.stringify({ KeyId: 'arn:aws:s3:::bucket', Plaintext: key })],
    ['a key that is no base64', JSON.stringify({ KeyId: arn, Plaintext: '!' })],
    ['a key that is a number', JSON.stringify({ KeyId: arn, Plaintext: 7 })],
    ['too much', JSON.stringify({ KeyId: arn, Plaintext: key, More: 'x'.repeat(70_000) })],
  ])('answers %s: an error, and no key', async (_what, body) => {
    await using server = await serve((_request, answer) => answer.end(body));
    const client = clientOf(server.url);
    await expect(client.decrypt({ wrapped: new Uint8Array(8), context })).rejects.toMatchObject({
      code: 'ERR_KEYS_REMOTE_PROTOCOL',
    });
    await client.close();
  });

  test('answers whatever bytes: an error of ours each time', async () => {
    let body: Uint8Array = new Uint8Array(0);
    let status = 200;
    await using server = await serve((_request, answer) => answer.writeHead(status).end(body));
    const client = clientOf(server.url, { timeoutMs: PATIENCE_MS });
    const some = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.json().map((text) => new Uint8Array(Buffer.from(text))),
      fc
        .record({ KeyId: fc.string(), Plaintext: fc.anything(), __type: fc.string(), message: fc.anything() })
        .map((value) => new Uint8Array(Buffer.from(JSON.stringify(value)))),
    );
    const run = fc.asyncProperty(some, fc.constantFrom(200, 400, 403, 404), async (bytes, code) => {
      [body, status] = [bytes, code];
      await expect(client.decrypt({ wrapped: new Uint8Array(8), context })).rejects.toMatchObject({
        name: 'KeysError',
      });
    });
    await fc.assert(run, { numRuns: 300 });
    await client.close();
  });

  test('is busy for a moment: it is asked again, and what it says in the end counts', async () => {
    let asked = 0;
    await using server = await serve((_request, answer) => {
      asked += 1;
      if (asked === 1) answer.writeHead(500).end('{"__type":"KMSInternalException"}');
      else if (asked === 2) answer.writeHead(400).end('{"__type":"ThrottlingException"}');
      else answer.end(JSON.stringify({ KeyId: arn, Plaintext: key }));
    });
    const client = clientOf(server.url);
    expect((await client.decrypt({ wrapped: new Uint8Array(8), context })).keyArn).toBe(arn);
    expect(asked).toBe(3);
    await client.close();
  });

  test('refuses for good: it is asked once', async () => {
    let asked = 0;
    await using server = await serve((_request, answer) => {
      asked += 1;
      answer.writeHead(400).end('{"__type":"com.amazonaws.kms#DisabledException","message":"x is disabled"}');
    });
    const client = clientOf(server.url);
    await expect(client.describeKey('alias/x')).rejects.toMatchObject({ code: 'ERR_KEYS_DISABLED' });
    expect(asked).toBe(1);
    await client.close();
  });

  test('says nothing, cuts connections, or is not there: an error within the time allowed', async () => {
    const silent = createTcpServer(() => undefined).listen(0, '127.0.0.1');
    const cutting = createTcpServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    await Promise.all([once(silent, 'listening'), once(cutting, 'listening')]);
    const ports = [silent, cutting].map((server) => (server.address() as { port: number }).port);
    for (const port of [...ports, 1]) {
      const client = clientOf(`http://127.0.0.1:${port}`, { timeoutMs: 400 });
      await expect(client.describeKey('alias/x')).rejects.toMatchObject({ code: 'ERR_KEYS_REMOTE_UNAVAILABLE' });
      await client.close();
    }
    silent.close();
    cutting.close();
  });
});
