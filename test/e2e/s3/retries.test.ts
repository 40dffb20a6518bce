/**
 * Who tries again, and how often: the gateway what is short and lost its connection, three times in all; everything else is told to clients
 * in words after which the SDKs try again by themselves. In the end there is the whole object, once, or an error.
 */
import { randomBytes } from 'node:crypto';
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { beforeEach, describe, expect, test } from 'vitest';
import { cliFolder } from '../../support/cli.ts';
import { Conversation } from '../../support/postgres/conversation.ts';
import { startFaultRelay, type Fault, type FaultRelay } from '../../support/fault-relay.ts';
import { missing as missingPrograms } from '../../support/programs.ts';
import { start } from '../../support/run.ts';
import { CLIENT } from '../../support/s3/edge.ts';
import { createBuckets, inFrontOf } from '../../support/s3/in-front-of.ts';
import { BUCKET, startSealed, type SealedSetup } from '../../support/s3/sealed.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
/** The gateway's own tries of what is short. */
const TRIES = 3;
const PLAIN = 'plain';

/** Bodies that are sealed, or passed on, whole; and longer ones, which flow. */
const SHORT = [1000, 200 * KIB] as const;
const LONG = [2 * MIB, 6 * MIB] as const;

const lost = (of: 'request' | 'answer', afterBytes = 0): Fault => ({ type: 'reset', of, afterBytes });

describe.each(['s3rver', 'radosgw'] as const)('In front of %s', (name) => {
  let relay: FaultRelay;
  let setup: SealedSetup;
  let client: S3Client;

  inFrontOf(name, async (backend) => {
    relay = await startFaultRelay(Number(new URL(backend.url).port));
    setup = await startSealed({ ...backend, url: `http://127.0.0.1:${relay.port}` });
    client = new S3Client({
      endpoint: setup.edges[0].url,
      region: 'us-east-1',
      credentials: CLIENT,
      forcePathStyle: true,
      maxAttempts: 3,
    });
    await createBuckets(client, name, PLAIN);
    // What the store can do is found out in quiet.
    await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'first', Body: 'x' }));
    await client.send(new ListObjectsV2Command({ Bucket: BUCKET }));
    return [{ close: () => client.destroy() }, setup, relay];
  });
  beforeEach(() => calm());

  const calm = (): void => void Object.assign(relay, { fault: { type: 'none' }, strikes: Infinity });
  const trouble = (fault: Fault, strikes: number): void => void Object.assign(relay, { fault, strikes });
  type Sent = { readonly $metadata: { readonly attempts?: number } };
  const attempts = ({ $metadata }: Sent): number => $metadata.attempts ?? 0;
  const put = (Bucket: string, Key: string, Body: Buffer, more: object = {}) =>
    client.send(new PutObjectCommand({ Bucket, Key, Body, ...more }));
  const get = async (Bucket: string, Key: string) => {
    const answer = await client.send(new GetObjectCommand({ Bucket, Key }));
    return { answer, bytes: Buffer.from((await answer.Body?.transformToByteArray()) ?? []) };
  };
  const holds = async (Bucket: string, Key: string, body: Buffer): Promise<boolean> =>
    (await get(Bucket, Key)).bytes.equals(body);

  describe.each([BUCKET, PLAIN])('%s:', (Bucket) => {
    test.each(SHORT)(
      'a PUT of %i bytes that loses its connection is sent again by the gateway, the client hears nothing',
      async (length) => {
        const body = randomBytes(length);
        for (const fault of [lost('request', 100), lost('request'), lost('answer')]) {
          trouble(fault, TRIES - 1);
          expect(attempts(await put(Bucket, `short-${length}`, body))).toBe(1);
          expect(relay.fault.type).toBe('none');
          expect(await holds(Bucket, `short-${length}`, body)).toBe(true);
        }
      },
    );

    test.each(SHORT)('after three tries of %i bytes the client is told, and its SDK tries again', async (length) => {
      const body = randomBytes(length);
      trouble(lost('request', 100), TRIES);
      expect(attempts(await put(Bucket, `told-${length}`, body))).toBe(2);
      expect(await holds(Bucket, `told-${length}`, body)).toBe(true);
    });

    test.each(LONG)('a PUT of %i bytes cannot be repeated by the gateway: its SDK does', async (length) => {
      const body = randomBytes(length);
      for (const [index, fault] of [lost('request', 100_000), lost('request', 1_500_000), lost('answer')].entries()) {
        trouble(fault, 1);
        expect(attempts(await put(Bucket, `long-${index}-${length}`, body))).toBe(2);
        expect(await holds(Bucket, `long-${index}-${length}`, body)).toBe(true);
      }
    });

    test.each([500, 503] as const)(
      'a %i of the store is the client’s to try again, whatever the length',
      async (status) => {
        for (const length of [SHORT[0], LONG[0]]) {
          const body = randomBytes(length);
          trouble({ type: 'status', status }, 1);
          expect(attempts(await put(Bucket, `status-${length}`, body))).toBe(2);
          trouble({ type: 'status', status }, 1);
          expect(attempts(await client.send(new HeadObjectCommand({ Bucket, Key: `status-${length}` })))).toBe(2);
          trouble({ type: 'status', status }, 1);
          const { answer, bytes } = await get(Bucket, `status-${length}`);
          expect([attempts(answer), bytes.equals(body)]).toEqual([2, true]);
        }
      },
    );

    test('reads that lose their connection before an answer are repeated by the gateway', async () => {
      const body = randomBytes(LONG[0]);
      await put(Bucket, 'read', body);
      for (const fault of [lost('request'), lost('answer')]) {
        trouble(fault, TRIES - 1);
        const { answer, bytes } = await get(Bucket, 'read');
        expect([attempts(answer), bytes.equals(body)]).toEqual([1, true]);
        trouble(fault, 1);
        expect(attempts(await client.send(new HeadObjectCommand({ Bucket, Key: 'read' })))).toBe(1);
        trouble(fault, 1);
        expect(attempts(await client.send(new ListObjectsV2Command({ Bucket, Prefix: 'read' })))).toBe(1);
      }
    });

    test.each([lost('answer', 1_000_000), { type: 'cut', afterBytes: 1_000_000 } as const])(
      'half a body is an error to whoever reads it, never a short body (%j)',
      async (fault) => {
        const whole = randomBytes(LONG[0]);
        await put(Bucket, 'half', whole);
        trouble(fault, 1);
        const { Body, ContentLength } = await client.send(new GetObjectCommand({ Bucket, Key: 'half' }));
        expect(ContentLength).toBe(LONG[0]);
        const bytes = await Body?.transformToByteArray().catch(() => undefined);
        // A reset takes with it what has come and is not read yet: where that is the head, all of it is asked for again.
        if (fault.type === 'reset' && bytes !== undefined) expect(whole.equals(bytes)).toBe(true);
        else expect(bytes).toBeUndefined();
      },
    );

    test('a deletion is repeated, and one more of what is gone is the same', async () => {
      await put(Bucket, 'deleted', randomBytes(10));
      trouble(lost('answer'), TRIES - 1);
      expect(attempts(await client.send(new DeleteObjectCommand({ Bucket, Key: 'deleted' })))).toBe(1);
      await expect(get(Bucket, 'deleted')).rejects.toMatchObject({ name: 'NoSuchKey' });
    });
  });

  test.each(SHORT)(
    'half of a sealed object of %i bytes is found out before a byte is answered: the SDK tries again',
    async (length) => {
      const body = randomBytes(length);
      await put(BUCKET, 'half-short', body);
      trouble({ type: 'cut', afterBytes: 700 + Math.floor(length / 2) }, 1);
      const { answer, bytes } = await get(BUCKET, 'half-short');
      expect([attempts(answer), bytes.equals(body)]).toEqual([2, true]);
    },
  );

  test('every step of an upload goes on after a fault', async () => {
    const place = { Bucket: BUCKET, Key: 'upload' };
    trouble(lost('request'), 1);
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(place));
    const bodies = [randomBytes(5 * MIB), randomBytes(1000)] as const;
    const Parts = [];
    for (const [index, Body] of bodies.entries()) {
      const PartNumber = index + 1;
      trouble(lost('request', 500), 1);
      const sent = await client.send(new UploadPartCommand({ ...place, UploadId, PartNumber, Body }));
      // The short one is held, and sent again by the gateway.
      expect(attempts(sent)).toBe(index === 0 ? 2 : 1);
      Parts.push({ PartNumber, ETag: sent.ETag });
    }
    // Whether the store had completed it nobody heard.
    for (const of of ['request', 'answer'] as const) {
      trouble(lost(of), TRIES);
      await client.send(new CompleteMultipartUploadCommand({ ...place, UploadId, MultipartUpload: { Parts } }));
      expect(await holds(BUCKET, 'upload', Buffer.concat(bodies))).toBe(true);
    }
  });

  test('boto3 tries again where the gateway cannot, and has it whole', async ({ skip }) => {
    const noBoto =
      missingPrograms('python3') ??
      ((await start('python3', ['-c', 'import boto3']).done).code === 0 ? undefined : 'boto3 is not there');
    skip(noBoto !== undefined, noBoto);
    const program = `
import boto3, os, sys
from botocore.config import Config
config = Config(retries={'mode': 'standard', 'max_attempts': 3}, s3={'addressing_style': 'path'})
s3 = boto3.client('s3', endpoint_url=sys.argv[1], region_name='us-east-1', config=config)
for line in iter(sys.stdin.readline, ''):
    what, bucket, key, length = line.split()
    body = os.urandom(int(length))
    if what == 'put':
        retries = s3.put_object(Bucket=bucket, Key=key, Body=body)['ResponseMetadata']['RetryAttempts']
        print(retries, s3.get_object(Bucket=bucket, Key=key)['Body'].read() == body, flush=True)
    else:
        with open('body', 'wb') as file: file.write(body)
        s3.upload_file('body', bucket, key)
        print('ready', flush=True)
        sys.stdin.readline()
        s3.download_file(bucket, key, 'back')
        print(open('back', 'rb').read() == body, flush=True)
`;
    using folder = cliFolder();
    await using python = new Conversation('python3', ['-c', program, setup.edges[0].url], {
      cwd: folder.folder,
      env: {
        ...process.env,
        AWS_ACCESS_KEY_ID: CLIENT.accessKeyId,
        AWS_SECRET_ACCESS_KEY: CLIENT.secretAccessKey,
      },
    });
    for (const Bucket of [BUCKET, PLAIN]) {
      trouble(lost('request', 100_000), 1);
      expect(await python.ask(`put ${Bucket} boto ${LONG[0]}`)).toBe('1 True');
      trouble({ type: 'status', status: 503 }, 1);
      expect(await python.ask(`put ${Bucket} boto ${SHORT[0]}`)).toBe('1 True');
      trouble(lost('request', 4_000_000), 1);
      expect(await python.ask(`file ${Bucket} boto-file ${20 * MIB}`)).toBe('ready');
      // Its transfer manager reads ranges, and reads one again whose body was cut.
      trouble({ type: 'cut', afterBytes: 3_000_000 }, 1);
      expect(await python.ask('back')).toBe('True');
      calm();
    }
  });
});
