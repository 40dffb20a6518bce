/** A backend that records what reaches it and answers as it is told: for tests of what the gateway sends, and what it makes of answers. */
import { createServer, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Seen = {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  body: Buffer;
  /** All of it came: a store would keep it. */
  complete: boolean;
};

/** `raw`: the bytes on the wire, for what Node's server would not write. */
export type Reply =
  { readonly status: number; readonly headers: OutgoingHttpHeaders; readonly body: string } | { readonly raw: string };

export type RecordingStore = {
  readonly url: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly seen: Seen[];
  /** What the next requests get; 200 with nothing where it is undefined. */
  reply: Reply | undefined;
  close(): Promise<void>;
};

export async function startRecordingStore(): Promise<RecordingStore> {
  const seen: Seen[] = [];
  const server = createServer((incoming, outgoing) => {
    const { method = '', url = '', headers } = incoming;
    const record: Seen = { method, url, headers, body: Buffer.alloc(0), complete: false };
    seen.push(record);
    incoming.on('data', (chunk: Buffer) => (record.body = Buffer.concat([record.body, chunk])));
    incoming.on('error', () => undefined);
    incoming.on('end', () => {
      record.complete = true;
      const { reply } = store;
      if (reply !== undefined && 'raw' in reply) outgoing.socket?.end(reply.raw, 'latin1');
      else outgoing.writeHead(reply?.status ?? 200, reply?.headers ?? {}).end(reply?.body ?? '');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const store: RecordingStore = {
    // A listening TCP server has an address object.
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    accessKeyId: 'UP',
    secretAccessKey: 'up',
    seen,
    reply: undefined,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return store;
}
