/**
 * An upload outlives the process that serves it: of two gateway processes with one key store, whoever takes a part is killed while it takes it,
 * and the upload goes on with the other, found again by listing uploads and parts.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import type { Socket } from 'node:net';
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  S3Client,
  UploadPartCommand,
  type CompletedPart,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { expect, test } from 'vitest';
import { createDigest } from '../../../src/s3/bodies/checksums.ts';
import { cliFolder, type CliFolder } from '../../support/cli.ts';
import { sealgate, type Program } from '../../support/run.ts';
import { createBuckets, inFrontOf } from '../../support/s3/in-front-of.ts';
import { BUCKET } from '../../support/s3/sealed.ts';

const MIB = 1024 * 1024;
const GATEWAYS = 2;
const credentials = { accessKeyId: 'APP', secretAccessKey: 'application-secret' };
const soon = { timeout: 60_000, interval: 100 };

let cli: CliFolder;
let up: Program;
let endpoint: string;

// It lists uploads and parts.
inFrontOf('radosgw', async (backend) => {
  cli = cliFolder();
  await cli.run('init');
  writeFileSync(
    cli.path('sealgate.yaml'),
    `version: 1
workers: ${GATEWAYS}
keys:
  unseal: [{ type: keyFile, path: root.key }]
  audit: { file: audit.jsonl }
observe: { listen: { port: 0 }, log: { level: info } }
s3:
  listen: { port: 0 }
  upstream:
    endpoint: ${backend.url}
    credentials: { type: static, accessKeyId: ${backend.accessKeyId}, secretAccessKey: ${backend.secretAccessKey} }
  clients: [{ name: app, accessKeyId: APP, secretAccessKey: application-secret }]
  buckets: [{ bucket: ${BUCKET}, seal: alias/a }]
`,
  );
  expect((await cli.run('keys', 'create', '--alias', 'a')).exit).toBe(0);
  up = sealgate(['up'], { cwd: cli.folder });
  await up.untilSays('observe ');
  endpoint = `http://127.0.0.1:${/^s3 +\w+:\/\/127.0.0.1:(\d+)/mu.exec(up.said())?.[1] ?? ''}`;
  await createBuckets(client(), 'radosgw');
  return [{ close: stop }];
});

async function stop(): Promise<void> {
  up.child.kill('SIGTERM');
  await up.done;
  cli[Symbol.dispose]();
}

/** With connections of its own. */
const client = (maxAttempts = 5): S3Client =>
  new S3Client({ endpoint, region: 'us-east-1', credentials, forcePathStyle: true, maxAttempts });

function gatewayPids(): readonly number[] {
  const { pid = 0 } = up.child;
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
}

/** The gateway that has the other end of a connection, by Linux's own tables; undefined: none has taken it yet. */
function gatewayOf({ localPort, remotePort }: Socket): number | undefined {
  const hex = (port = 0): string => `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const rows = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/u));
  const inode = rows.find(
    ([, local, remote]) => local?.endsWith(hex(remotePort)) && remote?.endsWith(hex(localPort)),
  )?.[9];
  return gatewayPids().find((pid) =>
    readdirSync(`/proc/${pid}/fd`).some((fd) => linkOf(`/proc/${pid}/fd/${fd}`) === `socket:[${inode ?? ''}]`),
  );
}

/** Once one has it: before, all that was sent may lie in the kernel. */
async function killGatewayOf(socket: Socket): Promise<void> {
  await expect.poll(() => gatewayOf(socket), soon).toBeDefined();
  const pid = gatewayOf(socket);
  if (pid !== undefined) process.kill(pid, 'SIGKILL');
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

test('who takes a part is killed while it does, and the upload found by listing goes on with the other', async () => {
  const Key = 'killed';
  const { UploadId } = await client().send(
    new CreateMultipartUploadCommand({ Bucket: BUCKET, Key, ChecksumAlgorithm: 'CRC32C', ChecksumType: 'FULL_OBJECT' }),
  );
  const upload = { Bucket: BUCKET, Key, UploadId };
  const bodies = new Map<number, Buffer>();
  const sent = new Map<number, CompletedPart>();
  const send = async (PartNumber: number, Body: Buffer): Promise<void> => {
    const made = await client().send(
      new UploadPartCommand({ ...upload, PartNumber, Body, ChecksumAlgorithm: 'CRC32C' }),
    );
    bodies.set(PartNumber, Body);
    sent.set(PartNumber, { PartNumber, ETag: made.ETag, ChecksumCRC32C: made.ChecksumCRC32C });
  };
  await send(1, randomBytes(5 * MIB + 1));
  for (const [round, PartNumber] of [3, 5].entries()) {
    // Both listen: with one of them killed there is another.
    await expect.poll(() => up.logged().split('worker started').length - 1, soon).toBe(GATEWAYS + round);
    expect(gatewayPids()).toHaveLength(GATEWAYS);
    const url = await getSignedUrl(client(), new UploadPartCommand({ ...upload, PartNumber }), { expiresIn: 600 });
    const broken = new Promise<string>((resolve, reject) => {
      const half = httpRequest(url, { method: 'PUT', headers: { 'content-length': String(8 * MIB) } });
      half.on('error', () => resolve('broken'));
      half.on('response', ({ statusCode }) => resolve(String(statusCode)));
      half.write(randomBytes(6 * MIB), () => {
        // It has taken most of the part, and hardly anything is between the two.
        if (half.socket !== null) killGatewayOf(half.socket).catch(reject);
      });
    });
    expect(await broken).toBe('broken');
    // Found again as by a client that has lost everything but the bucket.
    const found = await client().send(new ListMultipartUploadsCommand({ Bucket: BUCKET, Prefix: Key }));
    expect(found.Uploads?.map((row) => row.UploadId)).toEqual([UploadId]);
    const { Parts } = await client().send(new ListPartsCommand(upload));
    expect(Parts?.map((part) => [part.PartNumber, part.Size, part.ETag])).toEqual(
      [...sent.values()].map(({ PartNumber: number = 0, ETag }) => [number, bodies.get(number)?.length, ETag]),
    );
    // What only the killed one knew is not said, and what is said is so.
    for (const { PartNumber: number = 0, ChecksumCRC32C: said } of Parts ?? [])
      expect([undefined, sent.get(number)?.ChecksumCRC32C]).toContain(said);
    await send(PartNumber, randomBytes(5 * MIB + 1000 * PartNumber));
  }
  await send(9, randomBytes(17));
  const completed = await client().send(
    new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: [...sent.values()] } }),
  );
  const { Body } = await client().send(new GetObjectCommand({ Bucket: BUCKET, Key }));
  const whole = Buffer.concat([...bodies.values()]);
  expect(Buffer.from((await Body?.transformToByteArray()) ?? []).equals(whole)).toBe(true);
  const digest = await createDigest('crc32c');
  digest.update(whole);
  expect(completed.ChecksumCRC32C).toBe(Buffer.from(digest.digest()).toString('base64'));
  const head = await client().send(new HeadObjectCommand({ Bucket: BUCKET, Key, ChecksumMode: 'ENABLED' }));
  expect(head.ChecksumCRC32C).toBe(completed.ChecksumCRC32C);
});
