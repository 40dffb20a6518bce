/** GET and PUT of 64 MiB and of 1 KiB, by presigned URL, so that the client's own hashing costs the same nothing everywhere. */
import { randomBytes } from 'node:crypto';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { Agent, request } from 'undici';

export type Endpoint = {
  readonly name: string;
  readonly port: number;
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
};

export type ObjectClient = {
  readonly put: (key: string, body: Uint8Array) => Promise<void>;
  /** Reads the whole body and resolves to its length. */
  readonly get: (key: string) => Promise<number>;
  readonly close: () => Promise<void>;
};

export function objectClient({ port, bucket, accessKeyId, secretAccessKey }: Endpoint, connections = 64): ObjectClient {
  const s3 = new S3Client({
    region: 'us-east-1',
    endpoint: `http://127.0.0.1:${port}`,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
    requestChecksumCalculation: 'WHEN_REQUIRED',
  });
  const dispatcher = new Agent({ connections, headersTimeout: 600_000, bodyTimeout: 600_000 });
  const url = (command: GetObjectCommand | PutObjectCommand): Promise<string> =>
    getSignedUrl(s3, command, { expiresIn: 3600 });
  const check = async (status: number, body: { text(): Promise<string> }): Promise<void> => {
    if (status !== 200) throw new Error(`port ${port} answered ${status}: ${(await body.text()).slice(0, 300)}`);
  };
  return {
    put: async (key, body) => {
      const { statusCode, body: answer } = await request(
        await url(new PutObjectCommand({ Bucket: bucket, Key: key })),
        { method: 'PUT', body, dispatcher },
      );
      await check(statusCode, answer);
      await answer.dump();
    },
    get: async (key) => {
      const { statusCode, body } = await request(await url(new GetObjectCommand({ Bucket: bucket, Key: key })), {
        dispatcher,
      });
      await check(statusCode, body);
      let bytes = 0;
      for await (const chunk of body as AsyncIterable<Uint8Array>) bytes += chunk.length;
      return bytes;
    },
    close: () => dispatcher.close(),
  };
}

/** MiB per second of `times` transfers, one after another. */
export async function largeRate(
  client: ObjectClient,
  direction: 'get' | 'put',
  body: Uint8Array,
  times: number,
): Promise<number> {
  const started = performance.now();
  for (let time = 0; time < times; time += 1) {
    if (direction === 'put') await client.put('large', body);
    else if ((await client.get('large')) !== body.length) throw new Error('a GET came back short');
  }
  return (body.length * times) / 2 ** 20 / ((performance.now() - started) / 1000);
}

/** Requests per second of `count` small requests by `workers` clients. */
export async function smallRate(
  client: ObjectClient,
  direction: 'get' | 'put',
  count: number,
  workers: number,
): Promise<number> {
  const body = randomBytes(1024);
  let next = 0;
  const started = performance.now();
  await Promise.all(
    Array.from({ length: workers }, async () => {
      for (let mine = next++; mine < count; mine = next++) {
        if (direction === 'put') await client.put(`small-${mine % 50}`, body);
        else if ((await client.get(`small-${mine % 50}`)) !== body.length) throw new Error('a GET came back short');
      }
    }),
  );
  return count / ((performance.now() - started) / 1000);
}
