/**
 * The bench's HTTP client: one request at a time on a kept-alive connection, the answer's body counted in a buffer that is used again.
 * undici and node:http cost as much as a proxy does, and share its two cores.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { HeadReader } from './wire-head.ts';

const READ_BUFFER_BYTES = 512 * 1024;

export type WireAnswer = { readonly status: number; readonly bytes: number; readonly text: string };
export type WireRequest = {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** Path and query. */
  readonly target: string;
  readonly headers?: readonly string[];
  readonly body?: Uint8Array;
  /** How often the body is sent, one behind the other: for more than memory holds. Once unless told. */
  readonly times?: number;
};

type Pending = { readonly resolve: (answer: WireAnswer) => void; readonly reject: (error: Error) => void };

export class WireClient {
  readonly #host: string;
  readonly #socket: Socket;
  readonly #connected: Promise<unknown>;
  readonly #heads = new HeadReader();
  #pending: Pending | undefined;
  #answer: { readonly status: number; readonly length: number; bytes: number; text: string } | undefined;
  #keepsText = false;

  constructor(port: number, { tls = false }: { readonly tls?: boolean } = {}) {
    this.#host = `127.0.0.1:${port}`;
    this.#socket = tls ? this.#overTls(port) : this.#inClear(port);
    this.#connected = once(this.#socket, tls ? 'secureConnect' : 'connect');
    this.#socket.on('error', (error) => this.#pending?.reject(error));
    this.#socket.on('close', () => this.#pending?.reject(new Error(`${this.#host} closed the connection`)));
  }

  #inClear(port: number): Socket {
    return connect({
      port,
      host: '127.0.0.1',
      noDelay: true,
      onread: {
        buffer: Buffer.allocUnsafeSlow(READ_BUFFER_BYTES),
        callback: (length, buffer) => {
          this.#take((buffer as Buffer).subarray(0, length)); // The buffer given above.
          return true;
        },
      },
    });
  }

  /** Whoever it is: the bench's servers sign for themselves. */
  #overTls(port: number): Socket {
    const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      this.#take(chunk);
    });
    return socket;
  }

  /** Resolves when the whole answer has come. Only one request at a time. `keepsText`: of a success as well. */
  async send({ method, target, headers = [], body, times = 1 }: WireRequest, keepsText = false): Promise<WireAnswer> {
    this.#keepsText = keepsText;
    await this.#connected;
    const length = body === undefined ? [] : [`content-length: ${body.length * times}`];
    const lines = [`${method} ${target} HTTP/1.1`, `host: ${this.#host}`, ...length, ...headers, '', ''];
    const head = Buffer.from(lines.join('\r\n'), 'latin1');
    const answered = new Promise<WireAnswer>((resolve, reject) => (this.#pending = { resolve, reject }));
    if (body === undefined || body.length > 65_536) this.#socket.write(head);
    if (body !== undefined) this.#socket.write(body.length > 65_536 ? body : Buffer.concat([head, body]));
    if (body !== undefined && times > 1) await Promise.race([answered, this.#again(body, times - 1)]);
    return answered;
  }

  async #again(body: Uint8Array, times: number): Promise<void> {
    for (let time = 0; time < times; time += 1)
      if (!this.#socket.write(body)) await once(this.#socket, 'drain').catch(() => undefined);
  }

  close(): void {
    this.#pending = undefined;
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    let body = chunk;
    if (this.#answer === undefined) {
      const { head, rest } = this.#heads.take(chunk);
      if (head === undefined) return;
      const length = head.headers.get('content-length');
      if (length === undefined) throw new Error(`${this.#host} answered without Content-Length: ${head.first}`);
      this.#answer = { status: Number(head.first.split(' ')[1]), length: Number(length), bytes: 0, text: '' };
      body = rest;
    }
    const answer = this.#answer;
    answer.bytes += body.length;
    if (answer.status >= 300 || this.#keepsText) answer.text += body.toString('utf8');
    if (answer.bytes < answer.length) return;
    this.#answer = undefined;
    this.#pending?.resolve(answer);
  }
}
