/** A relay before a server that writes down what came through it: each exchange, and whether the server took it. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { decodeStartup, startupLength } from '../../src/postgres/messages/startup.ts';
import { errorOf } from '../support/postgres/proxy.ts';
import { decodeMessage, type Exchange, type Message } from './exchange.ts';

export type Recorder = {
  readonly port: number;
  /** What was sent so far; the connections' startup parameters. */
  taken(): { readonly connections: readonly Record<string, string>[]; readonly exchanges: readonly Exchange[] };
  close(): void;
};

/** They name the login, and say nothing of how statements are understood. */
const OF_THE_LOGIN = ['user', 'database', 'application_name'];

type Recorded = { on: number; sent: readonly Message[]; failed?: string };

export async function startRecorder(target: number): Promise<Recorder> {
  const connections: Record<string, string>[] = [];
  const exchanges: Recorded[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1');
    const waiting: Recorded[] = [];
    let on = -1;
    let sent: Message[] = [];
    const started = (parameters: ReadonlyMap<string, string>): void => {
      const kept = [...parameters].filter(([name]) => !OF_THE_LOGIN.includes(name));
      on = connections.push(Object.fromEntries(kept)) - 1;
    };
    const asked = (type: string, body: Uint8Array): void => {
      const message = decodeMessage(type, body);
      if (message === undefined) return;
      sent.push(message);
      if (!('query' in message) && !('sync' in message)) return;
      const exchange = { on, sent };
      sent = [];
      waiting.push(exchange);
      exchanges.push(exchange);
    };
    let isReady = false;
    let failed: string | undefined;
    const answered = (type: string, body: Buffer): void => {
      if (type === 'E') failed ??= errorOf([{ type, body }])['C'];
      if (type !== 'Z') return;
      // The first says that the login is done.
      const exchange = isReady ? waiting.shift() : undefined;
      if (exchange !== undefined && failed !== undefined) exchange.failed = failed;
      isReady = true;
      failed = undefined;
    };
    const answers = framesReader(answered);
    // What asks for encryption is answered by a byte alone.
    let bytesAlone = 0;
    client.on(
      'data',
      frontendReader(started, asked, () => bytesAlone++),
    );
    upstream.on('data', (chunk: Buffer) => {
      const skipped = Math.min(bytesAlone, chunk.length);
      bytesAlone -= skipped;
      answers(chunk.subarray(skipped));
    });
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.on('close', () => to.destroy());
    }
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' ? (address?.port ?? 0) : 0,
    taken: () => ({ connections, exchanges }),
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

type Taken = (type: string, body: Buffer) => void;

function framesReader(take: Taken): (chunk: Buffer) => void {
  let held: Buffer = Buffer.alloc(0);
  return (chunk) => {
    held = Buffer.concat([held, chunk]);
    while (held.length >= 5) {
      const length = 1 + held.readUInt32BE(1);
      if (held.length < length) return;
      take(held.toString('latin1', 0, 1), held.subarray(5, length));
      held = held.subarray(length);
    }
  };
}

/** Packets without a type come until the one that starts the session. */
function frontendReader(
  started: (of: ReadonlyMap<string, string>) => void,
  take: Taken,
  askedForEncryption: () => void,
): (chunk: Buffer) => void {
  let held: Buffer = Buffer.alloc(0);
  let frames: ((chunk: Buffer) => void) | undefined;
  return (chunk) => {
    if (frames !== undefined) return frames(chunk);
    held = Buffer.concat([held, chunk]);
    for (let length = startupLength(held); length !== undefined && held.length >= length;) {
      const packet = decodeStartup(held.subarray(0, length));
      held = held.subarray(length);
      if (packet.type === 'ssl' || packet.type === 'gssenc') askedForEncryption();
      if (packet.type === 'startup') {
        started(packet.parameters);
        frames = framesReader(take);
        return frames(held);
      }
      length = startupLength(held);
    }
  };
}
