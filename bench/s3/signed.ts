/** Requests signed in their headers, of a body whose digests are known beforehand: what they cost to make is not what is measured. */
import { encodePath, encodeUri } from '../../src/sigv4/percent-encoding.ts';
import { signRequest } from '../../src/sigv4/sign.ts';
import { SigningKeyCache } from '../../src/sigv4/signing-key.ts';
import type { Endpoint } from './objects.ts';
import type { WireRequest } from './wire-client.ts';

const signingKeys = new SigningKeyCache();

export type Signed = {
  readonly method: WireRequest['method'];
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** How often the body is sent, one behind the other; once unless told. */
  readonly times?: number;
  /** `UNSIGNED-PAYLOAD` unless told. */
  readonly payloadHash?: string;
};

/** Good for a quarter of an hour. */
export function signed({ port, bucket, accessKeyId, secretAccessKey }: Endpoint, asked: Signed): WireRequest {
  const { method, key, query = {}, headers = {}, body, times = 1, payloadHash = 'UNSIGNED-PAYLOAD' } = asked;
  const path = `/${bucket}${key === undefined ? '' : `/${encodePath(key)}`}`;
  const parameters = Object.entries(query).map(([name, value]) => `${encodeUri(name)}=${encodeUri(value)}`);
  const text = parameters.toSorted().join('&');
  const request = { method, path, query: text, headers: { host: `127.0.0.1:${port}`, ...headers } };
  const credentials = { accessKeyId, secretAccessKey };
  const made = signRequest(request, {
    ...{ credentials, region: 'us-east-1', service: 's3', now: Date.now(), payloadHash, signingKeys },
  });
  const lines = Object.entries(made.headers).filter(([name]) => name !== 'host');
  return {
    method,
    target: text === '' ? path : `${path}?${text}`,
    headers: lines.map(([name, value]) => `${name}: ${value}`),
    ...(body === undefined ? {} : { body, times }),
  };
}
