/** Signed S3 requests as raw bytes on a socket, for what no client would send: any path, any framing, any split. */
import { connect, type Socket } from 'node:net';
import { signRequest, type SignedRequest } from '../../../src/sigv4/sign.ts';
import { SigningKeyCache } from '../../../src/sigv4/signing-key.ts';
import { CLIENT } from './edge.ts';

export type RawRequest = {
  readonly method: string;
  readonly path: string;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** What the signature says of the body. */
  readonly payloadHash?: string;
  readonly now?: number;
};

const signingKeys = new SigningKeyCache();

export function sign(port: number, request: RawRequest): SignedRequest & { readonly head: string } {
  const headers = { host: `127.0.0.1:${port}`, ...request.headers };
  const signed = signRequest(
    { method: request.method, path: request.path, query: request.query ?? '', headers },
    {
      credentials: CLIENT,
      region: 'us-east-1',
      service: 's3',
      now: request.now ?? Date.now(),
      payloadHash: request.payloadHash ?? 'UNSIGNED-PAYLOAD',
      signingKeys,
    },
  );
  const target = request.query === undefined ? request.path : `${request.path}?${request.query}`;
  const lines = Object.entries(signed.headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return { ...signed, head: `${request.method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n` };
}

/** Sends pieces, each in a packet of its own, and reads until the other side closes or `done` says it is enough. */
export async function talk(
  port: number,
  pieces: readonly (string | Uint8Array)[],
  done: (text: string) => boolean = isWhole,
): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let text = '';
  const answered = new Promise<string>((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (done(text)) resolve(text);
    });
    socket.on('error', () => resolve(text));
    socket.on('close', () => resolve(text));
  });
  for (const piece of pieces) await write(socket, piece);
  const answer = await answered;
  socket.destroy();
  return answer;
}

function write(socket: Socket, piece: string | Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed) resolve();
    else socket.write(piece, () => setImmediate(resolve));
  });
}

/** One whole answer: head, and as many bytes as Content-Length says. */
export function isWhole(text: string): boolean {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0 || text.startsWith('HTTP/1.1 100')) return false;
  if (/^transfer-encoding: chunked\r$/imu.test(text.slice(0, end + 2))) return text.endsWith('0\r\n\r\n');
  const length = /^content-length: (\d+)\r$/imu.exec(text.slice(0, end + 2))?.[1];
  return length !== undefined && text.length >= end + 4 + Number(length);
}

export const statusIn = (answer: string): number => Number(/HTTP\/1\.1 (\d{3})/u.exec(answer)?.[1] ?? 0);

export async function statusOf(port: number, request: RawRequest): Promise<number> {
  return statusIn(await talk(port, [sign(port, request).head]));
}
