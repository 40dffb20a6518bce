/**
 * The two sides that are compared: a bucket at the backend itself, and a sealed one of its own through a gateway in front of the same
 * backend. A case sends the same requests to each.
 */
import { createHash } from 'node:crypto';
import { request as sendHttp } from 'node:http';
import { encodePath, encodeUri } from '../../src/sigv4/percent-encoding.ts';
import { signRequest } from '../../src/sigv4/sign.ts';
import { SigningKeyCache } from '../../src/sigv4/signing-key.ts';
import type { AccessKey } from '../../src/sigv4/verify.ts';

export type Asked = {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE' | 'OPTIONS';
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Not of this side's bucket: of the service. */
  readonly service?: boolean;
  readonly unsigned?: boolean;
};

export type Answer = {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
};

export type Side = {
  readonly bucket: string;
  /** For what is signed elsewhere than in headers. */
  readonly credentials: AccessKey;
  send(asked: Asked): Promise<Answer>;
  /** Like `send`, for what has to succeed. */
  done(asked: Asked): Promise<Answer>;
  /** A side of the same kind with a bucket of its own. */
  fresh(headers?: Readonly<Record<string, string>>): Promise<Side>;
};

export type SideOptions = {
  readonly url: string;
  readonly credentials: AccessKey;
  /** What the names of its buckets begin with. */
  readonly prefix: string;
};

const signingKeys = new SigningKeyCache();

/** Makes sides, each with a new bucket: numbered alike on both, so that nothing but the beginning of the name differs. */
export function sidesOf(options: SideOptions): Side['fresh'] {
  let count = 0;
  const sideOf = (bucket: string): Side => {
    const send = (asked: Asked): Promise<Answer> => exchange(options, bucket, asked);
    const done = async (asked: Asked): Promise<Answer> => {
      const answer = await send(asked);
      if (answer.status < 300) return answer;
      throw new Error(
        `${asked.method} ${bucket}/${asked.key ?? ''} answered ${answer.status}: ${answer.body.toString()}`,
      );
    };
    return { bucket, credentials: options.credentials, send, done, fresh };
  };
  const fresh: Side['fresh'] = async (headers = {}) => {
    const side = sideOf(`${options.prefix}${String((count += 1)).padStart(3, '0')}`);
    await side.done({ method: 'PUT', headers });
    return side;
  };
  return fresh;
}

function exchange({ url, credentials }: SideOptions, bucket: string, asked: Asked): Promise<Answer> {
  const { host, hostname, port } = new URL(url);
  const body = Buffer.from(asked.body ?? '');
  const path = asked.service === true ? '/' : `/${bucket}${asked.key === undefined ? '' : `/${encodePath(asked.key)}`}`;
  const query = Object.entries(asked.query ?? {})
    .map(([name, value]) => `${encodeUri(name)}=${encodeUri(value)}`)
    .join('&');
  const hasBody = asked.method === 'PUT' || asked.method === 'POST';
  const headers = { host, ...(hasBody ? { 'content-length': String(body.length) } : {}), ...asked.headers };
  const payloadHash = createHash('sha256').update(body).digest('hex');
  const signing = { credentials, region: 'us-east-1', service: 's3', now: Date.now(), payloadHash, signingKeys };
  const signed =
    asked.unsigned === true ? { headers } : signRequest({ method: asked.method, path, query, headers }, signing);
  const target = query === '' ? path : `${path}?${query}`;
  return new Promise((resolve, reject) => {
    const outgoing = sendHttp(
      { hostname, port, method: asked.method, path: target, headers: signed.headers },
      (incoming) => {
        const pieces: Buffer[] = [];
        incoming.on('data', (piece: Buffer) => pieces.push(piece));
        incoming.on('error', reject);
        incoming.on('end', () => {
          const named = Object.entries(incoming.headers).map(([name, value]) => [name, String(value)] as const);
          resolve({
            status: incoming.statusCode ?? 0,
            headers: Object.fromEntries(named),
            body: Buffer.concat(pieces),
          });
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(hasBody ? body : undefined);
  });
}
