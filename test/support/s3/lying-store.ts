/** A store that serves given objects from memory, and lies about them as it is told: for tests of what a hostile backend can achieve. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type StoredObject = { readonly headers: Readonly<Record<string, string>>; readonly body: Buffer };

/** What is told in place of the truth. */
export type Lie = {
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: Buffer;
  /** Serves other bytes than those of the range it names: this many further on. */
  readonly shift?: number;
  /** Added to the size that Content-Range names. */
  readonly total?: number;
  /** Added to both ends that Content-Range names. */
  readonly place?: number;
  /** Added to Content-Length: the bytes are as many as before. */
  readonly length?: number;
  /** Where in the bytes served (0 to 1) a bit is turned. */
  readonly flip?: number;
  /** The part of the bytes (0 to 1) after which the connection ends. */
  readonly breakOff?: number;
  readonly ignoresRange?: boolean;
  readonly ignoresIfMatch?: boolean;
};

export type Liar = (key: string, truth: StoredObject) => Lie;

export type LyingStore = {
  readonly url: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  lie: Liar;
  close(): Promise<void>;
};

export async function startLyingStore(objects: ReadonlyMap<string, StoredObject>): Promise<LyingStore> {
  const server = createServer((incoming, outgoing) => {
    incoming.resume();
    const key = decodeURIComponent(incoming.url?.split('?')[0]?.split('/')[2] ?? '');
    const truth = objects.get(key);
    if (truth === undefined || (incoming.method !== 'GET' && incoming.method !== 'HEAD')) outgoing.writeHead(501).end();
    else answer(incoming, outgoing, truth, store.lie(key, truth));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const store: LyingStore = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, // A listening TCP server has an address object.
    accessKeyId: 'UP',
    secretAccessKey: 'up',
    lie: () => ({}),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return store;
}

function answer(incoming: IncomingMessage, outgoing: ServerResponse, truth: StoredObject, lie: Lie): void {
  const headers = Object.fromEntries(
    Object.entries({ ...truth.headers, ...lie.headers }).filter(([, value]) => value !== undefined),
  );
  const condition = incoming.headers['if-match'];
  if (condition !== undefined && lie.ignoresIfMatch !== true && condition !== headers['etag']) {
    outgoing.writeHead(412).end();
    return;
  }
  const body = lie.body ?? truth.body;
  const range = lie.ignoresRange === true ? null : /^bytes=(\d+)-(\d+)$/u.exec(incoming.headers.range ?? '');
  const from = Number(range?.[1] ?? 0);
  const to = Math.min(Number(range?.[2] ?? Infinity), body.length - 1);
  if (range !== null && from > to) {
    outgoing.writeHead(416).end();
    return;
  }
  const shift = lie.shift ?? 0;
  const bytes = turned(body.subarray(Math.max(0, from + shift), Math.max(0, to + 1 + shift)), lie.flip);
  outgoing.writeHead(range === null ? 200 : 206, {
    ...headers,
    'content-length': String(Math.max(0, bytes.length + (lie.length ?? 0))),
    ...(range === null ? {} : { 'content-range': contentRange(from, to, body.length, lie) }),
  });
  if (incoming.method === 'HEAD') outgoing.end();
  // What was announced and does not come: the connection ends.
  else if ((lie.length ?? 0) > 0) outgoing.write(bytes, () => outgoing.destroy());
  else if (lie.breakOff === undefined) outgoing.end(bytes);
  else outgoing.write(bytes.subarray(0, Math.floor(bytes.length * lie.breakOff)), () => outgoing.destroy());
}

function contentRange(from: number, to: number, total: number, lie: Lie): string {
  const place = lie.place ?? 0;
  return `bytes ${from + place}-${to + place}/${total + (lie.total ?? 0)}`;
}

function turned(bytes: Buffer, at: number | undefined): Buffer {
  if (at === undefined || bytes.length === 0) return bytes;
  const copy = Buffer.from(bytes);
  const index = Math.floor(at * copy.length);
  copy[index] = (copy[index] ?? 0) ^ 1;
  return copy;
}
