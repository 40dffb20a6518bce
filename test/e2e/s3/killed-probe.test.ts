/** A process that dies while it finds out what a store can do: what lies there of it goes with a later probe or sweep, and another's probe stays. */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { request as httpRequest, createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import {
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutBucketVersioningCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  AbortMultipartUploadCommand,
} from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { checkS3 } from '../../../src/cli/checks/s3.ts';
import { BackendKnowledge } from '../../../src/s3/sealing/backend-knowledge.ts';
import { STORE_QUESTION_MS } from '../../../src/s3/limits.ts';
import { PROBE_SWEEP_AGE_MS } from '../../../src/s3/sealing/limits.ts';
import { sendingBy } from '../../../src/s3/upstream/client.ts';
import { sweepProbes } from '../../../src/s3/sweep-probes.ts';
import { cliFolder } from '../../support/cli.ts';
import { KEYS, loadText } from '../../support/config.ts';
import { sealgate } from '../../support/run.ts';
import { sealedOnRadosgw } from '../../support/s3/in-front-of.ts';
import { BUCKET } from '../../support/s3/sealed.ts';

const PREFIX = '.sealgate/probe/';
const sealed = sealedOnRadosgw();
const later = (): number => Date.now() + PROBE_SWEEP_AGE_MS + 60_000;
const soon = { timeout: 60_000 };

/** What of probes lies in the bucket, as the store says. */
async function leftovers(): Promise<readonly string[]> {
  const { direct } = sealed.setup;
  const { Contents = [] } = await direct.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: PREFIX }));
  const { Uploads = [] } = await direct.send(new ListMultipartUploadsCommand({ Bucket: BUCKET, Prefix: PREFIX }));
  return [...Contents, ...Uploads].map(({ Key = '' }) => Key).sort();
}

async function versions(): Promise<readonly unknown[]> {
  const { direct } = sealed.setup;
  const listed = await direct.send(new ListObjectVersionsCommand({ Bucket: BUCKET, Prefix: PREFIX }));
  return [...(listed.Versions ?? []), ...(listed.DeleteMarkers ?? [])].map(({ Key }) => Key);
}

/** The store, until it is asked what `holds` says: that it hears, does, and never answers. */
async function holdingStore(holds: (method: string, url: string) => boolean) {
  const { url } = sealed.setup.backend;
  const held = Promise.withResolvers<undefined>();
  const server = createServer((request, response) => {
    const { method = '', url: target = '', headers } = request;
    const forward = httpRequest(new URL(target, url), { method, headers }, (answer) => {
      if (holds(method, target)) {
        answer.resume().on('end', () => held.resolve(undefined));
        return;
      }
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    request.pipe(forward);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  // Of a TCP server it is an object.
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    held: held.promise,
    [Symbol.dispose]: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** `sealgate check` dies where the store holds it. */
async function dieProbing(holds: (method: string, url: string) => boolean): Promise<void> {
  using store = await holdingStore(holds);
  using cli = cliFolder();
  const { accessKeyId, secretAccessKey } = sealed.setup.backend;
  await cli.run('init');
  writeFileSync(
    cli.path('sealgate.yaml'),
    `version: 1
keys:
  unseal: [{ type: keyFile, path: root.key }]
  audit: { file: audit.jsonl }
s3:
  listen: { port: 0 }
  upstream:
    endpoint: ${store.endpoint}
    credentials: { type: static, accessKeyId: ${accessKeyId}, secretAccessKey: ${JSON.stringify(secretAccessKey)} }
  clients: [{ name: app, accessKeyId: APP, secretAccessKey: application-secret }]
  buckets: [{ bucket: ${BUCKET}, seal: alias/a }]
`,
  );
  await cli.run('keys', 'create', '--alias', 'a');
  const check = sealgate(['check'], { cwd: cli.folder });
  await store.held;
  check.child.kill('SIGKILL');
  expect((await check.done).code).toBe(null);
}

/** As a gateway that begins at `now`. */
async function probeAnew(now: () => number): Promise<void> {
  const { gateway } = sealed.setup.edges[0];
  const said: string[] = [];
  const log = { ...gateway.log, warn: (_about: unknown, text: string) => said.push(text) };
  const told = { ...gateway, random: randomBytes, now, log };
  expect(await new BackendKnowledge(STORE_QUESTION_MS, 0).learn(told, BUCKET)).toMatchObject({ multipart: true });
  expect(said).toEqual([]);
}

const begins = (method: string, url: string): boolean => method === 'POST' && url.includes('uploads');
test.each([
  ['its first upload', (method: string, url: string) => begins(method, url)],
  ['an object and a second upload', (method: string, url: string) => begins(method, url) && url.includes('-some')],
  ['objects and a copy', (method: string, url: string) => method === 'PUT' && url.includes('-copy')],
  ['an object of services', (method: string, url: string) => method === 'GET' && url.includes('accelerate')],
])('%s of a process that was killed is there for an hour, and goes with the next probe', async (_what, holds) => {
  expect(await leftovers()).toEqual([]);
  await dieProbing(holds);
  const left = await leftovers();
  expect(left.length).toBeGreaterThan(0);
  await probeAnew(Date.now);
  expect(await sweepProbes({ upstream: sealed.setup.edges[0].gateway.upstream, bucket: BUCKET }, Date.now())).toBe(0);
  expect(await leftovers()).toEqual(left);
  await probeAnew(later);
  await expect.poll(leftovers, soon).toEqual([]);
});

test('in a bucket that keeps versions no version is left', async () => {
  const { direct } = sealed.setup;
  const status = (Status: 'Enabled' | 'Suspended') =>
    direct.send(new PutBucketVersioningCommand({ Bucket: BUCKET, VersioningConfiguration: { Status } }));
  await status('Enabled');
  try {
    await dieProbing((method, url) => begins(method, url) && url.includes('-some'));
    await probeAnew(later);
    // Those are hidden before they are gone.
    await expect.poll(versions, soon).toEqual([]);
  } finally {
    await status('Suspended');
  }
});

test('what has no name of a probe stays, however old', async () => {
  const { direct, edges } = sealed.setup;
  const hex = randomBytes(16).toString('hex');
  const Keys = [
    `${PREFIX}note`,
    `${PREFIX}${hex}-other`,
    `${PREFIX}${hex}/x`,
    `.sealgate/probes/${hex}`,
    `x${PREFIX}${hex}`,
  ];
  for (const Key of Keys) await direct.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: 'x' }));
  const Key = `${PREFIX}${hex}-another`;
  const { UploadId } = await direct.send(new CreateMultipartUploadCommand({ Bucket: BUCKET, Key }));
  const before = await leftovers();
  expect(before).toHaveLength(4);
  expect(await sweepProbes({ upstream: edges[0].gateway.upstream, bucket: BUCKET }, later())).toBe(0);
  expect(await leftovers()).toEqual(before);
  for (const other of Keys) await direct.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: other }));
  await direct.send(new AbortMultipartUploadCommand({ Bucket: BUCKET, Key, UploadId }));
});

test('who asks what the store can do does not wait for the sweep', async () => {
  const { gateway } = sealed.setup.edges[0];
  const lists: (string | undefined)[] = [];
  const upstream = sendingBy(gateway.upstream, (request) => {
    if (request.key === undefined) lists.push(request.query?.get('prefix'));
    return gateway.upstream.send(request);
  });
  const told = { ...gateway, random: randomBytes, upstream };
  expect(await new BackendKnowledge().learn(told, BUCKET)).toMatchObject({ multipart: true });
  expect(lists).not.toContain(PREFIX);
});

test('what cannot be deleted does not keep what is behind it', async () => {
  const { direct, edges } = sealed.setup;
  const { upstream } = edges[0].gateway;
  const Keys = ['0', '1', '2'].map((digit) => `${PREFIX}${digit.repeat(32)}`);
  for (const Key of Keys) await direct.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: 'x' }));
  const refusing = sendingBy(upstream, (request) =>
    request.method === 'DELETE' && request.key === Keys[0]
      ? Promise.reject(new Error('it is retained'))
      : upstream.send(request),
  );
  await expect(sweepProbes({ upstream: refusing, bucket: BUCKET }, later())).rejects.toThrow('it is retained');
  expect(await leftovers()).toEqual(Keys.slice(0, 1));
  expect(await sweepProbes({ upstream, bucket: BUCKET }, later())).toBe(1);
  expect(await leftovers()).toEqual([]);
});

test('`sealgate check` says what the store can do also where it cannot be swept', async () => {
  const { gateway } = sealed.setup.edges[0];
  const { accessKeyId, secretAccessKey, url } = sealed.setup.backend;
  const { s3 } = await loadText(`${KEYS}s3:
  listen: { port: 0 }
  upstream:
    endpoint: ${url}
    credentials: { type: static, accessKeyId: ${accessKeyId}, secretAccessKey: ${JSON.stringify(secretAccessKey)} }
  clients: [{ name: app, accessKeyId: APP, secretAccessKey: application-secret }]
  buckets: [{ bucket: ${BUCKET}, seal: alias/a }]
`);
  if (s3 === undefined) throw new Error('there is a section');
  const { upstream } = gateway;
  const refusing = sendingBy(upstream, (request) =>
    request.query?.get('prefix') === PREFIX ? Promise.reject(new Error('no right to list')) : upstream.send(request),
  );
  const said = (await checkS3(s3, refusing)).map(({ message }) => message);
  expect(said).toContainEqual(expect.stringMatching(/^can do .*multipart/u));
  expect(said).toContain('what earlier probes left behind could not be swept: no answer');
});
