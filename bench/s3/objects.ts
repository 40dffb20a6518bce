/** Objects put and got through presigned URLs, made once for each key: so that the client's own hashing costs the same nothing everywhere. */
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { WireClient, type WireRequest } from './wire-client.ts';

export type Endpoint = {
  readonly name: string;
  readonly port: number;
  /** Of the process that is measured; undefined where nothing stands between. */
  readonly pid: number | undefined;
  readonly tls: boolean;
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
};

export type Objects = {
  readonly connect: () => Connection;
  /** Signs the URLs beforehand. */
  readonly prepare: (keys: readonly string[]) => Promise<void>;
};

/** One connection: one transfer at a time. */
export type Connection = {
  readonly put: (key: string, body: Uint8Array) => Promise<void>;
  /** Reads the whole body; throws where it is not `length` bytes. */
  readonly get: (key: string, length: number) => Promise<void>;
  readonly close: () => void;
};

export function objectsAt({ port, tls, bucket, accessKeyId, secretAccessKey }: Endpoint): Objects {
  const s3 = new S3Client({
    region: 'us-east-1',
    endpoint: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
    requestChecksumCalculation: 'WHEN_REQUIRED',
  });
  const targets = new Map<string, string>();
  const prepare = async (keys: readonly string[]): Promise<void> => {
    for (const key of keys) {
      const place = { Bucket: bucket, Key: key };
      targets.set(`PUT ${key}`, pathOf(await getSignedUrl(s3, new PutObjectCommand(place), { expiresIn: 36_000 })));
      targets.set(`GET ${key}`, pathOf(await getSignedUrl(s3, new GetObjectCommand(place), { expiresIn: 36_000 })));
    }
  };
  const request = (method: 'GET' | 'PUT', key: string, body?: Uint8Array): WireRequest => {
    const target = targets.get(`${method} ${key}`);
    if (target === undefined) throw new Error(`no URL was signed for ${key}`);
    return { method, target, ...(body === undefined ? {} : { body }) };
  };
  return {
    prepare,
    connect: () => connection(new WireClient(port, { tls }), request),
  };
}

function connection(
  client: WireClient,
  request: (method: 'GET' | 'PUT', key: string, body?: Uint8Array) => WireRequest,
): Connection {
  const send = async (asked: WireRequest): Promise<number> => {
    const { status, bytes, text } = await client.send(asked);
    if (status !== 200) throw new Error(`${asked.method} was answered ${status}: ${text.slice(0, 300)}`);
    return bytes;
  };
  return {
    put: async (key, body) => void (await send(request('PUT', key, body))),
    get: async (key, length) => {
      if ((await send(request('GET', key))) !== length) throw new Error('a GET came back short');
    },
    close: () => {
      client.close();
    },
  };
}

const pathOf = (url: string): string => {
  const { pathname, search } = new URL(url);
  return pathname + search;
};
