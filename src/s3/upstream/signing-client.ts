/**
 * The signing client: one keep-alive pool per upstream host, each request signed afresh with the gateway's identity.
 * Streams go out once, with exact length; a stream that fails aborts its request, so the backend stores nothing. Only requests of
 * which nothing was consumed and that may be repeated are tried again.
 */
import { errors } from 'undici';
import { PeerAgent, type PeerTls } from '../../http/peer-agent.ts';
import { signRequest, type SignedRequest } from '../../sigv4/sign.ts';
import { SigningKeyCache } from '../../sigv4/signing-key.ts';
import type { AccessKey } from '../../sigv4/verify.ts';
import { S3Error } from '../errors.ts';
import { BESIDE_CONNECTIONS, UPSTREAM_CONNECT_MS, UPSTREAM_IDLE_MS } from '../limits.ts';
import type { S3Headers } from '../operation.ts';
import { screenAnswer } from './screen-answer.ts';
import type { UpstreamCapabilities } from './capabilities.ts';
import type { ObjectStore, UpstreamClient, UpstreamRequest, UpstreamResponse } from './client.ts';
import type { UpstreamCredentials } from '../../sigv4/credentials.ts';
import { dispatch } from './dispatch.ts';
import { freeingConnector, StreamedPieces } from './freeing-socket.ts';
import { addressOf, type UpstreamAddress, type UpstreamEndpoint } from './endpoint.ts';
import { OutgoingStream, watched } from './outgoing-stream.ts';
import { withOwnChecksum } from './own-checksum.ts';
import { payloadFor, type Payload } from './payload.ts';

export type SigningClientOptions = {
  readonly endpoint: UpstreamEndpoint;
  readonly region: string;
  readonly credentials: UpstreamCredentials;
  readonly capabilities: UpstreamCapabilities;
  readonly now: () => number;
  /** Sockets per upstream host. */
  readonly maxConnections: number;
  /** Asked for every request: the same object until it is another. */
  readonly tls?: () => PeerTls;
};

/** Tries of a request that may be repeated; pauses grow from this. */
const MAX_TRIES = 3;
const FIRST_PAUSE_MS = 50;

export class SigningClient implements ObjectStore, UpstreamClient {
  readonly capabilities: UpstreamCapabilities;
  readonly stores: readonly ObjectStore[] = [this];
  readonly #options: SigningClientOptions;
  readonly #agent: PeerAgent;
  readonly #lanes: Readonly<Record<NonNullable<UpstreamRequest['lane']>, PeerAgent>>;
  readonly #signingKeys = new SigningKeyCache();
  readonly #pieces = new StreamedPieces();

  constructor(options: SigningClientOptions) {
    this.capabilities = options.capabilities;
    this.#options = options;
    this.#agent = this.#newAgent(options, options.maxConnections);
    this.#lanes = {
      beside: this.#newAgent(options, BESIDE_CONNECTIONS),
      copy: this.#newAgent(options, options.maxConnections),
    };
  }

  #newAgent({ tls = () => NO_TLS }: SigningClientOptions, connections: number): PeerAgent {
    return new PeerAgent({
      tls,
      connector: (now) => freeingConnector({ timeout: UPSTREAM_CONNECT_MS, allowH2: false, ...now }, this.#pieces),
      agent: {
        connections,
        pipelining: 1,
        headersTimeout: UPSTREAM_IDLE_MS,
        bodyTimeout: UPSTREAM_IDLE_MS,
        // One request has one connection to itself: back-pressure is the socket's own.
        allowH2: false,
      },
    });
  }

  storeOf(): ObjectStore {
    return this;
  }

  async send(request: UpstreamRequest): Promise<UpstreamResponse> {
    const body = watched(request.body);
    for (let tries = 1; ; tries += 1) {
      try {
        const used = await this.#options.credentials.get();
        const response = await this.#sendOnce(request, body.stream, used);
        const other = await this.#otherIdentity(request, response, used);
        if (other === undefined) return await screenAnswer(response);
        await response.body.release();
        return await screenAnswer(await this.#sendOnce(request, body.stream, other));
      } catch (error) {
        if (body.failure() !== undefined) throw body.failure();
        if (refusesIdentity(error)) this.#options.credentials.invalidate();
        if (request.signal?.aborted === true || tries >= MAX_TRIES || !mayRepeat(request, error) || body.started()) {
          throw asS3Error(error);
        }
        await pause(FIRST_PAUSE_MS * 2 ** tries);
      }
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#agent, ...Object.values(this.#lanes)].map((agent) => agent.close()));
  }

  /** An answer to HEAD has no document to say that it is our identity it refuses: then newer credentials are tried, where there are any. */
  async #otherIdentity(
    { method }: UpstreamRequest,
    { status }: UpstreamResponse,
    used: AccessKey,
  ): Promise<AccessKey | undefined> {
    if (method !== 'HEAD' || (status !== 400 && status !== 403)) return undefined;
    return this.#options.credentials.replacing(used);
  }

  async #sendOnce(
    asked: UpstreamRequest,
    body: UpstreamRequest['body'],
    credentials: AccessKey,
  ): Promise<UpstreamResponse> {
    const request = await withOwnChecksum(body === undefined ? asked : { ...asked, body }, this.capabilities);
    const address = addressOf(this.#options.endpoint, request);
    const outgoing = {
      body: request.body,
      length: request.contentLength ?? 0,
      headers: request.headers ?? {},
      trailer: request.trailer,
      sha256: request.bodySha256,
    };
    const payload = payloadFor(outgoing, this.capabilities);
    const signed = this.#sign(request, address, payload, credentials);
    const outgoingBody = this.#dispatchable(payload.encode(signed));
    const {
      status,
      headers,
      body: answer,
    } = await dispatch(
      (request.lane === undefined ? this.#agent : this.#lanes[request.lane]).current,
      {
        origin: address.origin,
        method: request.method,
        path: address.query === '' ? address.path : `${address.path}?${address.query}`,
        headers: signed.headers,
        body: outgoingBody,
      },
      request.signal,
    );
    // Whatever it says that it stored, it is not the object; and nothing would ever read the rest of the client's body.
    if (isSuccess(status) && outgoingBody instanceof OutgoingStream && outgoingBody.sentBytes < payload.contentLength) {
      await answer.release();
      throw new S3Error('ERR_S3_UPSTREAM_PROTOCOL', 'The storage answered before it had the whole body.');
    }
    return { status, headers: flatten(headers), body: answer };
  }

  /** The pieces of a stream belong to it alone: each is given back once it is written. A whole body may be sent again. */
  #dispatchable(body: UpstreamRequest['body']): Uint8Array | OutgoingStream | null {
    if (body === undefined) return null;
    if (body instanceof Uint8Array) return body;
    return new OutgoingStream(body, (piece) => {
      this.#pieces.add(piece);
    });
  }

  #sign(request: UpstreamRequest, address: UpstreamAddress, payload: Payload, credentials: AccessKey): SignedRequest {
    const headers: Record<string, string> = { ...request.headers, ...payload.headers, host: address.host };
    if (request.body !== undefined || request.method === 'PUT' || request.method === 'POST')
      headers['content-length'] = String(payload.contentLength);
    return signRequest(
      { method: request.method, path: address.path, query: address.query, headers },
      {
        credentials,
        region: this.#options.region,
        service: 's3',
        now: this.#options.now(),
        payloadHash: payload.payloadHash,
        signingKeys: this.#signingKeys,
      },
    );
  }
}

const NO_TLS: PeerTls = {};

const isSuccess = (status: number): boolean => status >= 200 && status < 300;

function flatten(headers: Readonly<Record<string, string | string[] | undefined>>): S3Headers {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name.toLowerCase()] = Array.isArray(value) ? value.join(', ') : value;
  }
  return flat;
}

/**
 * A refused identity may have been renewed since. What lost its connection may have taken effect unheard: it is asked for again where doing it
 * twice is the same as once.
 */
function mayRepeat(request: UpstreamRequest, error: unknown): boolean {
  if (refusesIdentity(error) || NOT_CONNECTED.has(codeOf(error))) return true;
  return CONNECTION_LOST.has(codeOf(error)) && isIdempotent(request);
}

/** A write on a condition that had taken effect would find the condition broken by itself, and its client would be told that another was first. */
const isIdempotent = ({ method, headers }: UpstreamRequest): boolean => {
  if (method === 'POST') return false;
  const writes = method === 'PUT' || method === 'DELETE';
  return !writes || (headers?.['if-match'] === undefined && headers?.['if-none-match'] === undefined);
};

const NOT_CONNECTED: ReadonlySet<string> = new Set(['ECONNREFUSED', 'UND_ERR_CONNECT_TIMEOUT', 'EAI_AGAIN']);
const CONNECTION_LOST: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);

const refusesIdentity = (error: unknown): boolean =>
  error instanceof S3Error && error.code === 'ERR_S3_UPSTREAM_CREDENTIALS';

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

function asS3Error(error: unknown): unknown {
  if (error instanceof S3Error) return error;
  if (
    error instanceof errors.HeadersTimeoutError ||
    error instanceof errors.BodyTimeoutError ||
    error instanceof errors.ConnectTimeoutError
  ) {
    return new S3Error('ERR_S3_UPSTREAM_TIMEOUT', undefined, { cause: error });
  }
  return new S3Error('ERR_S3_UPSTREAM_UNREACHABLE', undefined, { cause: error });
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
