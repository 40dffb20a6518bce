/**
 * The KMS listener: HTTP or HTTPS with optional client certificates, keep-alive, limits and timeouts, and a graceful end. What a
 * request means is `edge/exchange.ts`.
 *
 * Threats: slow or endless headers and bodies, malformed requests: each ends its own connection with an error, never the process.
 */
import type { ServerOptions } from 'node:http';
import type { TlsOptions } from 'node:tls';
import { HttpListener, type Refusal } from '../http/listener.ts';
import type { KeyRealm } from '../keys/arn.ts';
import type { RecentRequests } from '../keys/audit/recent-requests.ts';
import type { Log } from '../observe/log.ts';
import { SigningKeyCache } from '../sigv4/signing-key.ts';
import type { KmsRegions, RegionCall } from './action.ts';
import { createAuthenticator, type KmsAccessKey } from './auth/authenticate.ts';
import { ClientCertificates, type CertificateCaller } from './auth/client-certificate.ts';
import { ReplayGuard } from './auth/replay-guard.ts';
import { BodyBudget } from './edge/body.ts';
import { exchange, type EdgeOptions, type ExchangeOutcome } from './edge/exchange.ts';
import { errorBody } from './edge/respond.ts';
import { KmsError, type KmsErrorCode } from './errors.ts';
import {
  HEADERS_TIMEOUT_MS,
  KEEP_ALIVE_MS,
  MAX_BODIES_BYTES,
  MAX_CONNECTIONS,
  MAX_HEADER_BYTES,
  MAX_SEEN_SIGNATURES,
  REQUEST_TIMEOUT_MS,
  TLS_HANDSHAKE_MS,
} from './limits.ts';
import { TARGETS } from './targets.ts';

export type KmsTls = {
  /** PEM. */
  readonly certificate: string;
  readonly privateKey: string;
  /** With it clients may show certificates, and have to where `required`. PEM, as the revocation list. */
  readonly clients?: { readonly ca: string; readonly crl: string | undefined; readonly required: boolean };
};

export type KmsServerOptions = {
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  /** Undefined: plain HTTP. */
  readonly tls: KmsTls | undefined;
  readonly accessKeys: readonly KmsAccessKey[];
  readonly certificates: readonly CertificateCaller[];
  /** The home region. */
  readonly realm: KeyRealm;
  readonly keys: KmsRegions;
  /** What was answered before this process began. */
  readonly answeredBefore?: RecentRequests;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly onFinished?: (outcome: ExchangeOutcome) => void;
  /** Those of `limits.ts` unless told. */
  readonly limits?: Partial<KmsServerLimits>;
};

export type KmsServerLimits = {
  /** For the request line and headers, and for the whole request. */
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
  /** Bodies of all requests together. */
  readonly bodiesBytes: number;
};

const LIMITS: KmsServerLimits = {
  headersTimeoutMs: HEADERS_TIMEOUT_MS,
  requestTimeoutMs: REQUEST_TIMEOUT_MS,
  bodiesBytes: MAX_BODIES_BYTES,
};

export class KmsServer {
  readonly #options: KmsServerOptions;
  readonly #listener: HttpListener;

  constructor(options: KmsServerOptions) {
    const { host, port, tls } = options;
    this.#options = options;
    const edge = edgeOptions(options, (incoming) => this.#listener.closesAfter(incoming));
    this.#listener = new HttpListener({
      host,
      port,
      tls: tls === undefined ? undefined : tlsOptions(tls),
      server: serverOptions({ ...LIMITS, ...options.limits }),
      maxConnections: MAX_CONNECTIONS,
      handle: (incoming, outgoing) => void exchange(incoming, outgoing, edge),
      unparsable,
    });
  }

  /** Resolves with the port. Rejects with ERR_KMS_LISTEN. */
  async listen(): Promise<number> {
    const { host, port } = this.#options;
    return this.#listener.listen().catch((cause: unknown) => {
      throw new KmsError('ERR_KMS_LISTEN', `cannot listen on ${host}:${port}`, { cause });
    });
  }

  /** From now on connections are made with these. Throws OpenSSL's error, and nothing has changed, where they cannot be used. */
  renew(tls: KmsTls): void {
    this.#listener.renew(tlsOptions(tls));
  }

  /** Takes no new connections, lets requests under way end within `graceMs`, then closes what is left. */
  close(graceMs: number): Promise<void> {
    return this.#listener.close(graceMs);
  }
}

function edgeOptions(options: KmsServerOptions, draining: EdgeOptions['draining']): EdgeOptions {
  const { accessKeys, certificates, realm, keys, log, now, onFinished } = options;
  return {
    log,
    draining,
    served: servedBy(keys, realm),
    homeRegion: realm.region,
    actions: TARGETS,
    authenticator: createAuthenticator({
      accessKeys,
      regions: keys.regions,
      now,
      signingKeys: new SigningKeyCache(),
      replays: new ReplayGuard(MAX_SEEN_SIGNATURES, options.answeredBefore),
    }),
    certificates: new ClientCertificates(certificates, now),
    budget: new BodyBudget(options.limits?.bodiesBytes ?? LIMITS.bodiesBytes),
    ...(onFinished === undefined ? {} : { onFinished }),
  };
}

function servedBy(keys: KmsRegions, { account }: KeyRealm): ReadonlyMap<string, RegionCall> {
  const served = new Map<string, RegionCall>();
  for (const region of keys.regions) {
    const own = keys.inRegion(region);
    if (own !== undefined) served.set(region, { keys: own, realm: { region, account } });
  }
  return served;
}

function serverOptions({ headersTimeoutMs, requestTimeoutMs }: KmsServerLimits): ServerOptions {
  return {
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: headersTimeoutMs,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: headersTimeoutMs / 2,
    keepAlive: true,
    noDelay: true,
  };
}

function tlsOptions({ certificate, privateKey, clients }: KmsTls): TlsOptions {
  const own = {
    cert: certificate,
    key: privateKey,
    minVersion: 'TLSv1.2',
    handshakeTimeout: TLS_HANDSHAKE_MS,
  } as const;
  if (clients === undefined) return own;
  return {
    ...own,
    ca: clients.ca,
    ...(clients.crl === undefined ? {} : { crl: clients.crl }),
    requestCert: true,
    // Where none is required, a bad one is refused by `ClientCertificates`.
    rejectUnauthorized: clients.required,
  };
}

const CODES: Readonly<Record<string, KmsErrorCode>> = {
  HPE_HEADER_OVERFLOW: 'ERR_KMS_HEADERS_TOO_LARGE',
  ERR_HTTP_REQUEST_TIMEOUT: 'ERR_KMS_TIMEOUT',
};

function unparsable(code: string): Refusal {
  const failure = new KmsError(CODES[code] ?? 'ERR_KMS_MALFORMED_HTTP');
  return { status: `${failure.status} Refused`, type: 'application/x-amz-json-1.1', body: errorBody(failure) };
}
