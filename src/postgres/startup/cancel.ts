/** CancelRequest: relayed as it came, on a connection of its own; keys are the server's, so any replica can relay it. */
import { UPSTREAM_CONNECT_TIMEOUT_MS } from '../limits.ts';
import type { UpstreamOptions } from '../options.ts';
import { connectUpstream } from './upstream-connect.ts';

/** Resolves once the server has closed the connection, as it does after having signalled. */
export async function relayCancel(packet: Uint8Array, upstream: UpstreamOptions): Promise<void> {
  const { socket } = await connectUpstream(upstream);
  await new Promise<void>((resolve) => {
    socket.setTimeout(UPSTREAM_CONNECT_TIMEOUT_MS, () => socket.destroy());
    socket.on('error', () => undefined);
    socket.once('close', () => resolve());
    socket.resume();
    socket.end(packet);
  });
}
