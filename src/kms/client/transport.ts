/**
 * One action on a key manager elsewhere: signed or under a client certificate, over connections that are kept, tried again where it
 * does no harm (none of the actions asked for here changes anything there). What comes back is bytes, never text: it may be a key.
 */
import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { buildConnector } from 'undici';
import { PeerAgent, type PeerTls } from '../../http/peer-agent.ts';
import { KeysError } from '../../keys/errors.ts';
import type { UpstreamCredentials } from '../../sigv4/credentials.ts';
import { signRequest } from '../../sigv4/sign.ts';
import { SigningKeyCache } from '../../sigv4/signing-key.ts';
import { refusal } from './refusals.ts';
import { unanswered } from './unanswered.ts';

export type KmsTransportOptions = {
  /** Scheme, host and port. */
  readonly endpoint: URL;
  /** That requests are signed for. */
  readonly region: string;
  /** Without them requests are not signed, and the client certificate says who we are. */
  readonly credentials?: UpstreamCredentials;
  /** Asked for every request: the same object until it is another. */
  readonly tls?: () => PeerTls;
  /** For one action, all tries included. */
  readonly timeoutMs: number;
  readonly now: () => number;
};

/** An answer has a key of at most 4096 bytes and the same wrapped. */
const MAX_ANSWER_BYTES = 64 * 1024;
const MAX_CONNECTIONS = 32;
const MAX_TRIES = 3;
const FIRST_PAUSE_MS = 50;

type Answer = { readonly status: number; readonly body: Uint8Array };

export class KmsTransport {
  readonly #options: KmsTransportOptions;
  readonly #agent: PeerAgent;
  readonly #signingKeys = new SigningKeyCache();

  constructor(options: KmsTransportOptions) {
    const none: PeerTls = {};
    this.#options = options;
    this.#agent = new PeerAgent({
      tls: options.tls ?? (() => none),
      connector: (tls) => buildConnector({ timeout: options.timeoutMs, allowH2: false, ...tls }),
      agent: { connections: MAX_CONNECTIONS, pipelining: 1, allowH2: false },
    });
  }

  /** The answer's bytes, the caller's to zero. Rejects with a KeysError. */
  async call(action: string, input: object): Promise<Uint8Array> {
    const body = Buffer.from(JSON.stringify(input));
    const deadline = AbortSignal.timeout(this.#options.timeoutMs);
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#once(action, body, deadline);
      } catch (error) {
        if (!(error instanceof KeysError)) throw error;
        if (error.code === 'ERR_KEYS_REMOTE_REFUSED') this.#options.credentials?.invalidate();
        if (tries >= MAX_TRIES || deadline.aborted || !AGAIN.has(error.code)) throw error;
        await pause(FIRST_PAUSE_MS * 2 ** tries * (0.5 + Math.random()));
      }
    }
  }

  async close(): Promise<void> {
    await this.#agent.close();
  }

  async #once(action: string, body: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    const headers = await this.#headers(action, body);
    const { status, body: answer } = await this.#send(headers, body, signal);
    if (status === 200) return answer;
    throw refusal(status, answer);
  }

  async #headers(action: string, body: Uint8Array): Promise<Readonly<Record<string, string>>> {
    const { endpoint, region, credentials, now } = this.#options;
    const headers = {
      host: endpoint.host,
      'content-type': 'application/x-amz-json-1.1',
      'content-length': String(body.length),
      'x-amz-target': `TrentService.${action}`,
    };
    if (credentials === undefined) return headers;
    const request = { method: 'POST', path: '/', query: '', headers };
    const payloadHash = createHash('sha256').update(body).digest('hex');
    const how = { region, service: 'kms', now: now(), payloadHash, signingKeys: this.#signingKeys };
    return signRequest(request, { ...how, credentials: await credentials.get() }).headers;
  }

  async #send(headers: Readonly<Record<string, string>>, body: Uint8Array, signal: AbortSignal): Promise<Answer> {
    try {
      const { origin } = this.#options.endpoint;
      const answer = await this.#agent.current.request({ origin, path: '/', method: 'POST', headers, body, signal });
      return { status: answer.statusCode, body: await readWhole(answer.body) };
    } catch (error) {
      throw error instanceof KeysError ? error : unanswered(error, signal);
    }
  }
}

const AGAIN: ReadonlySet<string> = new Set(['ERR_KEYS_REMOTE_UNAVAILABLE', 'ERR_KEYS_REMOTE_REFUSED']);

/** Each piece is zeroed once it is copied, and what was copied where the answer does not come to its end. */
async function readWhole(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const whole = Buffer.alloc(MAX_ANSWER_BYTES);
  let length = 0;
  try {
    for await (const piece of pieces) {
      if (length + piece.length > MAX_ANSWER_BYTES)
        throw new KeysError('ERR_KEYS_REMOTE_PROTOCOL', 'the answer of the remote key manager is too long');
      whole.set(piece, length);
      length += piece.length;
      piece.fill(0);
    }
  } catch (error) {
    whole.fill(0);
    throw error;
  }
  return whole.subarray(0, length);
}
