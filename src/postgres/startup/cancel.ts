/**
 * CancelRequest: relayed as it came, on a connection of its own. Keys are the server's, so any process and any replica of the proxy can
 * relay it: to the server that gave the key where it was given through this process, else to all of them, of which the others ignore it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { CANCEL_ALL_MS, UPSTREAM_CONNECT_TIMEOUT_MS } from '../limits.ts';
import { connectServer, encryptionsOf, type UpstreamServer } from './upstream-connect.ts';

/** Length and code come before the process id and the key, which are BackendKeyData's body. */
const KEY_AT = 8;

/** Which server gave which key. */
export class CancelKeys {
  readonly #servers = new Map<string, UpstreamServer>();

  /** `keyData`: the body of BackendKeyData. Returns what forgets it again. */
  add(keyData: Uint8Array, server: UpstreamServer): () => void {
    const key = textOf(keyData);
    this.#servers.set(key, server);
    return () => {
      if (this.#servers.get(key) === server) this.#servers.delete(key);
    };
  }

  serverOf(packet: Uint8Array): UpstreamServer | undefined {
    return this.#servers.get(textOf(packet.subarray(KEY_AT)));
  }
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

/** Resolves once the server has closed the connection, as it does after having signalled. */
export async function relayCancel(
  packet: Uint8Array,
  servers: readonly UpstreamServer[],
  keys: CancelKeys,
): Promise<void> {
  const owner = keys.serverOf(packet) ?? (servers.length === 1 ? servers[0] : undefined);
  if (owner !== undefined) return cancelAt(packet, owner);
  const all = Promise.allSettled(servers.map((server) => cancelAt(packet, server)));
  await Promise.race([all, sleep(CANCEL_ALL_MS, undefined, { ref: false })]);
}

async function cancelAt(packet: Uint8Array, server: UpstreamServer): Promise<void> {
  const [encryption = 'none'] = encryptionsOf(server);
  const { socket } = await connectServer(server, encryption);
  await new Promise<void>((resolve) => {
    socket.setTimeout(UPSTREAM_CONNECT_TIMEOUT_MS, () => socket.destroy());
    socket.on('error', () => undefined);
    socket.once('close', () => resolve());
    socket.resume();
    socket.end(packet);
  });
}
