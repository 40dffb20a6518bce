/**
 * The bench's own store, a process of its own: what S3 looks like to a proxy (PUT, GET with Range, HEAD, DELETE, metadata, ETags), with
 * as little work behind it as a process can do. Objects lie in memory; keys below `sink/` are received and not kept, and their uploads in
 * parts are begun and never completed. It checks no
 * signature and never sees plaintext of a sealed bucket. Real stores (s3rver, Ceph RGW) cost many times what a proxy costs, and hide it.
 *
 * Started by `startStore`; says its port to its parent.
 */
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { HeadReader, type Head } from './wire-head.ts';

type StoredObject = { readonly bytes: Buffer; readonly etag: string; readonly headers: readonly string[] };

const objects = new Map<string, StoredObject>();
/** The bytes that an overwritten object leaves are used for the next one there: no page is faulted in anew in each round. */
const spares = new Map<string, Buffer>();
let made = 0;

const KEPT = /^(?:x-amz-meta-.*|content-type|cache-control)$/u;

class Exchange {
  readonly #socket: Socket;
  readonly #heads = new HeadReader();
  #receiving: { readonly path: string; readonly head: Head; readonly bytes: Buffer | undefined } | undefined;
  #received = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  take(chunk: Buffer): void {
    let rest = chunk;
    while (rest.length > 0) rest = this.#receiving === undefined ? this.#takeHead(rest) : this.#takeBody(rest);
  }

  #takeHead(chunk: Buffer): Buffer {
    const { head, rest } = this.#heads.take(chunk);
    if (head === undefined) return rest;
    const [method = '', target = ''] = head.first.split(' ');
    const [path = '', query = ''] = target.split('?');
    if (method === 'POST' && /^uploads(?:=|$)/u.test(query)) {
      this.#beginUpload(path);
      return rest;
    }
    if (method !== 'PUT') {
      this.#answer(method, path, head);
      return rest;
    }
    const length = Number(head.headers.get('content-length') ?? 0);
    const isKept = !/^\/[^/]+\/sink\//u.test(path);
    const spare = spares.get(path);
    spares.delete(path);
    const bytes = !isKept ? undefined : spare?.length === length ? spare : Buffer.allocUnsafeSlow(length);
    this.#receiving = { path, head, bytes };
    this.#received = 0;
    if (length === 0) this.#store();
    return rest;
  }

  #takeBody(chunk: Buffer): Buffer {
    const { head, bytes } = this.#receiving ?? {};
    const left = Number(head?.headers.get('content-length')) - this.#received;
    const mine = chunk.subarray(0, left);
    if (bytes !== undefined) mine.copy(bytes, this.#received);
    this.#received += mine.length;
    if (mine.length === left) this.#store();
    return chunk.subarray(mine.length);
  }

  #store(): void {
    const { path = '', head, bytes } = this.#receiving ?? {};
    this.#receiving = undefined;
    const etag = (made += 1).toString(16).padStart(32, '0');
    const headers = [...(head?.headers ?? [])].filter(([name]) => KEPT.test(name)).map(([n, v]) => `${n}: ${v}`);
    const old = objects.get(path);
    if (old !== undefined) spares.set(path, old.bytes);
    if (bytes !== undefined) objects.set(path, { bytes, etag, headers });
    this.#send('200 OK', [`etag: "${etag}"`, 'content-length: 0']);
  }

  #answer(method: string, path: string, { headers }: Head): void {
    const found = objects.get(path);
    if (method === 'DELETE') objects.delete(path);
    if (method === 'DELETE' || (method !== 'GET' && method !== 'HEAD')) return this.#send('204 No Content', []);
    if (found === undefined) return this.#send('404 Not Found', ['content-length: 0']);
    const condition = headers.get('if-match');
    if (condition !== undefined && condition !== `"${found.etag}"`)
      return this.#send('412 Precondition Failed', ['content-length: 0']);
    const total = found.bytes.length;
    const [, from, to] = /^bytes=(\d+)-(\d+)$/u.exec(headers.get('range') ?? '') ?? [];
    const start = Number(from ?? 0);
    const end = Math.min(Number(to ?? total - 1), total - 1);
    const lines = [`content-length: ${end - start + 1}`, `etag: "${found.etag}"`, 'accept-ranges: bytes'];
    if (from !== undefined) lines.push(`content-range: bytes ${start}-${end}/${total}`);
    const body = method === 'GET' ? found.bytes.subarray(start, end + 1) : undefined;
    this.#send(from === undefined ? '200 OK' : '206 Partial Content', [...lines, ...found.headers], body);
  }

  #beginUpload(path: string): void {
    const [, bucket = '', ...key] = path.split('/');
    const xml = `<InitiateMultipartUploadResult><Bucket>${bucket}</Bucket><Key>${key.join('/')}</Key><UploadId>upload</UploadId></InitiateMultipartUploadResult>`;
    this.#send('200 OK', ['content-type: application/xml', `content-length: ${xml.length}`], Buffer.from(xml));
  }

  #send(status: string, lines: readonly string[], body?: Buffer): void {
    const date = 'last-modified: Tue, 24 Nov 2026 00:00:00 GMT';
    const head = Buffer.from(`HTTP/1.1 ${status}\r\n${[date, ...lines].join('\r\n')}\r\n\r\n`, 'latin1');
    if (body === undefined || body.length > 65_536) this.#socket.write(head);
    if (body !== undefined) this.#socket.write(body.length > 65_536 ? body : Buffer.concat([head, body]));
  }
}

const server = createServer({ noDelay: true }, (socket) => {
  const exchange = new Exchange(socket);
  socket.on('data', (chunk: Buffer) => {
    exchange.take(chunk);
  });
  socket.on('error', () => socket.destroy());
});
// A listening TCP server has an address object.
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on('disconnect', () => process.exit(0));
