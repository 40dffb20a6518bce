/** One exchange after another with the gateway, over plain sockets: whole ones, and ones whose client leaves in the middle. */
import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { sign, type RawRequest } from '../support/s3/raw-s3.ts';
import { pick } from '../support/seeded.ts';

/** `right`: answered in full, and with what was stored. `short`: told as a success, with fewer bytes. */
export type Outcome = 'right' | 'refused' | 'broken' | 'left' | 'short' | 'wrong';

type Answer = { readonly status: number; readonly whole: boolean; readonly body: Buffer };

/** Of these each bucket has one, which is only read. */
const LENGTHS = [0, 1000, 70_000, 300_000] as const;
const BUCKETS = ['sealed', 'plain'] as const;

const bodyOf = (name: string, length: number): Buffer =>
  Buffer.from(
    createHash('shake128', { outputLength: Math.max(1, length) })
      .update(name)
      .digest(),
  ).subarray(0, length);

export class Exchanges {
  readonly #port: number;
  readonly #uploads = new Set<string>();
  #count = 0;

  constructor(port: number) {
    this.#port = port;
  }

  async prepare(): Promise<void> {
    for (const bucket of BUCKETS) {
      await this.#send({ method: 'PUT', path: `/${bucket}` }, undefined, undefined);
      for (const length of LENGTHS) {
        const path = `/${bucket}/fixed-${length}`;
        const { status } = await this.#send({ method: 'PUT', path }, bodyOf(path, length), undefined);
        if (status !== 200) throw new Error(`the store did not take ${path}: ${status}`);
      }
    }
  }

  async one(random: () => number, leaves: boolean): Promise<Outcome> {
    const bucket = pick(random, BUCKETS);
    const length = pick(random, LENGTHS);
    const path = `/${bucket}/fixed-${length}`;
    const leaveAfter = leaves ? Math.floor(random() * 400_000) : undefined;
    switch (pick(random, ['get', 'get', 'range', 'head', 'put', 'put', 'list', 'upload'] as const)) {
      case 'get':
        return judged(
          await this.#send({ method: 'GET', path }, undefined, leaveAfter),
          leaves,
          200,
          bodyOf(path, length),
        );
      case 'range': {
        if (length === 0) return judged(await this.#send({ method: 'HEAD', path }, undefined, leaveAfter), leaves, 200);
        const from = Math.floor(random() * length);
        const headers = { range: `bytes=${from}-` };
        const answer = await this.#send({ method: 'GET', path, headers }, undefined, leaveAfter);
        return judged(answer, leaves, 206, bodyOf(path, length).subarray(from));
      }
      case 'head':
        return judged(await this.#send({ method: 'HEAD', path }, undefined, leaveAfter), leaves, 200);
      case 'put': {
        this.#count += 1;
        const put = { method: 'PUT', path: `/${bucket}/written-${this.#count % 50}` };
        return judged(await this.#send(put, bodyOf(put.path, length), leaveAfter), leaves, 200);
      }
      case 'list': {
        const list = { method: 'GET', path: `/${bucket}`, query: 'list-type=2&max-keys=5' };
        return judged(await this.#send(list, undefined, leaveAfter), leaves, 200);
      }
      case 'upload':
        return this.#upload(random, leaveAfter);
    }
  }

  async #upload(random: () => number, leaveAfter: number | undefined): Promise<Outcome> {
    this.#count += 1;
    const path = `/sealed/upload-${this.#count}`;
    const begun = await this.#send({ method: 'POST', path, query: 'uploads=' }, undefined, undefined);
    const id = /<UploadId>([^<]+)</u.exec(begun.body.toString())?.[1];
    if (begun.status !== 200 || id === undefined) return judged(begun, false, 200);
    const query = `uploadId=${encodeURIComponent(id)}`;
    this.#uploads.add(`${path}?${query}`);
    const part = { method: 'PUT', path, query: `partNumber=1&${query}` };
    return judged(
      await this.#send(part, bodyOf(path, pick(random, LENGTHS)), leaveAfter),
      leaveAfter !== undefined,
      200,
    );
  }

  /** Ends what was begun and not ended, also what no client was told of but the listing shows; names what would not end. */
  async abortUploads(): Promise<readonly string[]> {
    const stubborn: string[] = [];
    for (const upload of [...this.#uploads, ...(await this.#listedUploads())]) {
      const [path = '', query = ''] = upload.split('?');
      const { status } = await this.#send({ method: 'DELETE', path, query }, undefined, undefined);
      if (status !== 204 && status !== 404) stubborn.push(`${path} (${status})`);
    }
    return [...stubborn, ...(await this.#listedUploads())];
  }

  async #listedUploads(): Promise<readonly string[]> {
    const { body } = await this.#send({ method: 'GET', path: '/sealed', query: 'uploads=' }, undefined, undefined);
    const rows = body.toString().matchAll(/<Upload>(.*?)<\/Upload>/gsu);
    const of = (row: string, name: string): string => new RegExp(`<${name}>([^<]*)<`, 'u').exec(row)?.[1] ?? '';
    return [...rows].map(([row]) => `/sealed/${of(row, 'Key')}?uploadId=${encodeURIComponent(of(row, 'UploadId'))}`);
  }

  /** `leaveAfter`: the client is gone once so many bytes have moved either way. */
  #send(request: RawRequest, body: Buffer | undefined, leaveAfter: number | undefined): Promise<Answer> {
    const headers = { ...request.headers, ...(body === undefined ? {} : { 'content-length': String(body.length) }) };
    const { head } = sign(this.#port, { ...request, headers });
    const socket = connect({ port: this.#port, host: '127.0.0.1', noDelay: true });
    return new Promise((resolve) => {
      const pieces: Buffer[] = [];
      let moved = 0;
      const end = (): void => {
        socket.destroy();
        resolve(parsed(Buffer.concat(pieces), request.method));
      };
      socket.on('data', (piece: Buffer) => {
        pieces.push(piece);
        moved += piece.length;
        if (leaveAfter !== undefined && moved > leaveAfter) end();
        else if (parsed(Buffer.concat(pieces), request.method).whole) end();
      });
      socket.on('error', end).on('close', end);
      socket.write(head);
      if (body !== undefined) socket.write(leaveAfter === undefined ? body : body.subarray(0, leaveAfter));
      // A body that is cut short brings no answer.
      if (body !== undefined && leaveAfter !== undefined && leaveAfter < body.length) setTimeout(end, 30);
    });
  }
}

function judged({ status, whole, body }: Answer, leaves: boolean, expected: number, stored?: Buffer): Outcome {
  if (!whole) return leaves ? 'left' : 'broken';
  // An object that may be written by two at once on a store that is not atomic aside: only what is fixed is compared.
  if (status !== expected) return status >= 400 ? 'refused' : 'wrong';
  if (stored === undefined || body.equals(stored)) return 'right';
  return body.length < stored.length && stored.subarray(0, body.length).equals(body) ? 'short' : 'wrong';
}

function parsed(bytes: Buffer, method: string): Answer {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return { status: 0, whole: false, body: Buffer.alloc(0) };
  const head = bytes.toString('latin1', 0, end + 2);
  const status = Number(/^HTTP\/1\.1 (\d{3})/u.exec(head)?.[1] ?? 0);
  const body = bytes.subarray(end + 4);
  if (method === 'HEAD' || status === 204 || status === 304) return { status, whole: true, body };
  const length = /^content-length: (\d+)\r$/imu.exec(head)?.[1];
  if (length !== undefined) return { status, whole: body.length >= Number(length), body };
  const isChunked = /^transfer-encoding: chunked\r$/imu.test(head);
  return { status, whole: isChunked && body.subarray(-7).toString('latin1').endsWith('0\r\n\r\n'), body };
}
