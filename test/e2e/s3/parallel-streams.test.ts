/**
 * The gateway gives back the memory of what it has sent while other streams still run (`src/s3/bodies/spent-bytes.ts`): were it ever
 * too early, a stream would carry another one's bytes. So many streams run at once, between a client that reads by fits and a store
 * that takes by fits, with more under way than the kernel holds, and each byte is compared.
 */
import { createHash, randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { CopyObjectCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KeyManager } from '../../../src/keys/key-manager.ts';
import { SEALED_OPERATIONS } from '../../../src/s3/operations/index-table.ts';
import { PROXY_CERTIFICATE_PEM, PROXY_KEY_PEM, TEST_CA_PEM } from '../../support/certificates.ts';
import { keyFolder, TEST_USE, type KeyFolder } from '../../support/keys/keys.ts';
import { CLIENT, startEdge, type TestEdge } from '../../support/s3/edge.ts';
import { startS3rver, type TestStore } from '../../support/s3/s3rver.ts';

const STREAMS = 6;
/** Longer than what the kernel's buffers of two sockets take on loopback. */
const [MIN_BYTES, MAX_BYTES] = [9_000_000, 14_000_000];
const certificate = { cert: PROXY_CERTIFICATE_PEM, key: PROXY_KEY_PEM };
const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Waits before each of the first reads, so that whoever writes meets a full socket, and then now and then. */
async function pause(reads: number): Promise<void> {
  if (reads < 3) await sleep(100);
  else if (randomInt(20) === 0) await sleep(1);
}

/** Relays to the store by fits. */
async function startRelay(port: number): Promise<Server> {
  const relay = async (from: Socket, to: Socket): Promise<void> => {
    let reads = 0;
    for await (const chunk of from as AsyncIterable<Buffer>) {
      await pause((reads += 1));
      await new Promise((written) => to.write(chunk, written));
    }
    to.end();
  };
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    for (const socket of [near, far]) socket.on('error', () => undefined);
    for (const run of [relay(near, far), relay(far, near)])
      run.catch(() => [near, far].map((socket) => socket.destroy()));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return server;
}

describe.each([
  { name: 'http', tls: undefined },
  { name: 'https', tls: certificate },
])('$name', ({ tls }) => {
  let folder: KeyFolder;
  let manager: KeyManager;
  let store: TestStore;
  let relay: Server;
  let edge: TestEdge;
  let s3: S3Client;
  const agent = new Agent({ connect: { rejectUnauthorized: false } });

  beforeAll(async () => {
    folder = await keyFolder();
    manager = await folder.open();
    await manager.createKey({ alias: 'alias/a' }, TEST_USE);
    store = await startS3rver({ buckets: ['plain', 'sealed'], ...(tls === undefined ? {} : { tls }) });
    const url = new URL(store.url);
    relay = await startRelay(Number(url.port));
    url.port = String((relay.address() as AddressInfo).port); // A TCP server has an address object.
    edge = await startEdge({
      store: { ...store, url: url.href },
      rules: [
        { bucket: 'sealed', prefix: '', rule: { type: 'seal', keyId: 'alias/a', name: 'sealed' } },
        { bucket: 'plain', prefix: '', rule: { type: 'pass', name: 'plain' } },
      ],
      operations: SEALED_OPERATIONS,
      dataKeys: manager,
      ...(tls === undefined ? {} : { tls, upstreamCa: TEST_CA_PEM }),
    });
    s3 = new S3Client({
      endpoint: edge.url,
      region: 'us-east-1',
      credentials: CLIENT,
      forcePathStyle: true,
      requestChecksumCalculation: 'WHEN_REQUIRED',
    });
  });

  afterAll(async () => {
    s3.destroy();
    await agent.close();
    await edge.close();
    relay.close();
    await store.close();
    await folder[Symbol.asyncDispose]();
  });

  /** In pieces of any length, with pauses. */
  async function* byFits(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length;) {
      const piece = bytes.subarray(at, at + randomInt(1, 200_000));
      at += piece.length;
      yield piece;
      if (randomInt(50) === 0) await sleep(1);
    }
  }

  async function put(bucket: string, key: string, bytes: Uint8Array): Promise<void> {
    const url = await getSignedUrl(s3, new PutObjectCommand({ Bucket: bucket, Key: key }), { expiresIn: 600 });
    const { statusCode, body } = await request(url, {
      method: 'PUT',
      headers: { 'content-length': String(bytes.length) },
      body: Readable.from(byFits(bytes)),
      dispatcher: agent,
    });
    await body.dump();
    expect(statusCode).toBe(200);
  }

  /** `range`: first and last byte. */
  async function hashOfStored(bucket: string, key: string, range?: readonly [number, number]): Promise<string> {
    const url = await getSignedUrl(s3, new GetObjectCommand({ Bucket: bucket, Key: key }), { expiresIn: 600 });
    const headers = range === undefined ? {} : { range: `bytes=${range.join('-')}` };
    const { body } = await request(url, { dispatcher: agent, headers });
    const hash = createHash('sha256');
    let reads = 0;
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      hash.update(chunk);
      await pause((reads += 1));
    }
    return hash.digest('hex');
  }

  async function copy(from: string, to: string, key: string): Promise<void> {
    const command = new CopyObjectCommand({ Bucket: to, Key: `${key}-copied`, CopySource: `${from}/${key}` });
    const { body } = await request(await getSignedUrl(s3, command, { expiresIn: 600 }), {
      method: 'PUT',
      dispatcher: agent,
    });
    expect(await body.text()).toContain('</CopyObjectResult>');
  }

  test.each(['sealed', 'plain'])('streams of the %s bucket never carry the bytes of each other', async (bucket) => {
    const objects = Array.from({ length: STREAMS }, (_, index) => ({
      key: `object-${index}`,
      bytes: randomBytes(randomInt(MIN_BYTES, MAX_BYTES)),
    }));
    await Promise.all(objects.map(({ key, bytes }) => put(bucket, key, bytes)));
    // Reads, writes, and copies that are both, at once.
    const other = bucket === 'sealed' ? 'plain' : 'sealed';
    const range = [MIN_BYTES / 4, MIN_BYTES - 1] as const;
    const [hashes, ranges] = await Promise.all([
      Promise.all(objects.map(({ key }) => hashOfStored(bucket, key))),
      Promise.all(objects.map(({ key }) => hashOfStored(bucket, key, range))),
      ...objects.map(({ key, bytes }) => put(bucket, `${key}-again`, bytes)),
      ...objects.map(({ key }) => copy(bucket, other, key)),
    ]);
    expect(hashes).toEqual(objects.map(({ bytes }) => hashOf(bytes)));
    expect(ranges).toEqual(objects.map(({ bytes }) => hashOf(bytes.subarray(range[0], range[1] + 1))));
    expect(await Promise.all(objects.map(({ key }) => hashOfStored(other, `${key}-copied`)))).toEqual(hashes);
    const again = await Promise.all(objects.map(({ key }) => hashOfStored(bucket, `${key}-again`)));
    expect(again).toEqual(hashes);
  });
});
