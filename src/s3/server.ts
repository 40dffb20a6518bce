/**
 * The S3 listener: HTTP or HTTPS, keep-alive, limits and timeouts, and a graceful end. What a request means is `edge/exchange.ts`.
 *
 * Threats: slow headers, endless headers, malformed requests: each ends its own connection with an S3 error, never the process.
 */
import type { ServerOptions } from 'node:http';
import type { TlsOptions } from 'node:tls';
import { HttpListener, type Refusal } from '../http/listener.ts';
import type { S3Access } from './access/rights.ts';
import { createAuthenticator, type S3AccessKey } from './auth/authenticate.ts';
import type { OperationTable } from './decide.ts';
import { exchange, type EdgeOptions, type ExchangeOutcome } from './edge/exchange.ts';
import { formatErrorDocument } from './xml/error-document.ts';
import { S3Error, type S3ErrorCode } from './errors.ts';
import { HEADERS_TIMEOUT_MS, KEEP_ALIVE_MS, MAX_CONNECTIONS, MAX_HEADER_BYTES, MAX_SILENCE_MS } from './limits.ts';
import type { GatewayContext } from './operation.ts';
import { SigningKeyCache } from '../sigv4/signing-key.ts';

/** PEM. */
export type S3Tls = { readonly cert: string | Buffer; readonly key: string | Buffer };

export type S3ServerOptions = {
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  /** Other processes of ours listen there too. */
  readonly sharesPort?: boolean | undefined;
  /** With it the listener speaks HTTPS. */
  readonly tls?: S3Tls;
  readonly accessKeys: readonly S3AccessKey[];
  /** What policies let callers do; rules and keys are asked besides. */
  readonly access: S3Access;
  /** The region clients must sign for; undefined accepts any. */
  readonly region: string | undefined;
  /** Domains under which `bucket.domain` names a bucket. */
  readonly virtualHostDomains: readonly string[];
  readonly gateway: GatewayContext;
  /** The operations on sealed keys (`operations/index-table.ts`). */
  readonly operations: OperationTable;
  readonly onFinished?: (outcome: ExchangeOutcome) => void;
};

export class S3Server {
  readonly #options: S3ServerOptions;
  readonly #listener: HttpListener;

  constructor(options: S3ServerOptions) {
    const { host, port, sharesPort, tls } = options;
    this.#options = options;
    const edge = edgeOptions(options, (incoming) => this.#listener.closesAfter(incoming));
    this.#listener = new HttpListener({
      host,
      port,
      sharesPort,
      tls: tls && tlsOptions(tls),
      server: LIMITS,
      maxConnections: MAX_CONNECTIONS,
      silenceMs: MAX_SILENCE_MS,
      handle: (incoming, outgoing) => void exchange(incoming, outgoing, edge),
      unparsable,
    });
  }

  /** Resolves with the port. Rejects with ERR_S3_LISTEN. */
  async listen(): Promise<number> {
    const { host, port } = this.#options;
    return this.#listener.listen().catch((cause: unknown) => {
      throw new S3Error('ERR_S3_LISTEN', `cannot listen on ${host}:${port}`, { cause });
    });
  }

  /** From now on connections are made with these. Throws OpenSSL's error, and nothing has changed, where they cannot be used. */
  renew(tls: S3Tls): void {
    this.#listener.renew(tlsOptions(tls));
  }

  /** Takes no new connections, lets requests in flight end within `graceMs`, then closes what is left. */
  close(graceMs: number): Promise<void> {
    return this.#listener.close(graceMs);
  }
}

const tlsOptions = (tls: S3Tls): TlsOptions => ({ ...tls, minVersion: 'TLSv1.2' });

const LIMITS: ServerOptions = {
  maxHeaderSize: MAX_HEADER_BYTES,
  headersTimeout: HEADERS_TIMEOUT_MS,
  // A body may take hours; who sends nothing is ended by `client-bytes.ts`.
  requestTimeout: 0,
  keepAliveTimeout: KEEP_ALIVE_MS,
  keepAlive: true,
  noDelay: true,
  highWaterMark: 128 * 1024,
};

function edgeOptions(options: S3ServerOptions, draining: EdgeOptions['draining']): EdgeOptions {
  const { gateway, operations, onFinished } = options;
  return {
    gateway,
    operations,
    access: options.access,
    domains: options.virtualHostDomains,
    draining,
    authenticate: createAuthenticator({
      accessKeys: options.accessKeys,
      region: options.region,
      now: gateway.now,
      signingKeys: new SigningKeyCache(),
    }),
    ...(onFinished === undefined ? {} : { onFinished }),
  };
}

const CODES: Readonly<Record<string, S3ErrorCode>> = {
  HPE_HEADER_OVERFLOW: 'ERR_S3_REQUEST_HEADERS_TOO_LARGE',
  ERR_HTTP_REQUEST_TIMEOUT: 'ERR_S3_REQUEST_TIMEOUT',
};

function unparsable(code: string): Refusal {
  const error = new S3Error(CODES[code] ?? 'ERR_S3_INVALID_REQUEST', undefined);
  return { status: '400 Bad Request', type: 'application/xml', body: formatErrorDocument(error, '', '/') };
}
