/** Signs the gateway's own requests to the upstream, with the same canonicaliser that verifies clients. */
import { canonicalRequest, hashText } from './canonical-request.ts';
import {
  ALGORITHM,
  formatScope,
  requestStringToSign,
  signText,
  type CredentialScope,
  type SigningKeyCache,
} from './signing-key.ts';
import { formatTimestamp } from './timestamp.ts';
import type { AccessKey, IncomingRequest } from './verify.ts';
import type { KeyObject } from 'node:crypto';

export type SignOptions = {
  readonly credentials: AccessKey;
  readonly region: string;
  readonly service: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** A hex SHA-256, `UNSIGNED-PAYLOAD` or `STREAMING-...`. */
  readonly payloadHash: string;
  readonly signingKeys: SigningKeyCache;
};

export type SignedRequest = {
  /** All headers to send: those given, and `x-amz-date`, `x-amz-content-sha256`, `x-amz-security-token`, `authorization`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly signature: string;
  readonly signingKey: KeyObject;
  readonly scope: CredentialScope;
  readonly timestamp: string;
};

/** Never signed: proxies between us and the upstream may change or drop them. */
const UNSIGNED_HEADERS = new Set([
  'connection',
  'expect',
  'user-agent',
  'transfer-encoding',
  'te',
  'accept-encoding',
  'x-amzn-trace-id',
]);

/** Signs a request whose headers include `host`. `path` and `query` must be sent exactly as given. */
export function signRequest(request: IncomingRequest, options: SignOptions): SignedRequest {
  const timestamp = formatTimestamp(options.now);
  const scope = { date: timestamp.slice(0, 8), region: options.region, service: options.service };
  const headers: Record<string, string> = {
    ...request.headers,
    'x-amz-date': timestamp,
    'x-amz-content-sha256': options.payloadHash,
  };
  if (options.credentials.sessionToken !== undefined)
    headers['x-amz-security-token'] = options.credentials.sessionToken;
  const signedHeaders = Object.keys(headers)
    .filter((name) => !UNSIGNED_HEADERS.has(name))
    .sort();
  const canonical = canonicalRequest({ ...request, headers, signedHeaders, payloadHash: options.payloadHash });
  const signingKey = options.signingKeys.get(options.credentials, scope);
  const signature = signText(signingKey, requestStringToSign(timestamp, scope, hashText(canonical)));
  headers['authorization'] =
    `${ALGORITHM} Credential=${options.credentials.accessKeyId}/${formatScope(scope)}, SignedHeaders=${signedHeaders.join(';')}, Signature=${signature}`;
  return { headers, signature, signingKey, scope, timestamp };
}
