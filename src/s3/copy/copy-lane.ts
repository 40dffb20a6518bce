/**
 * A copy that streams holds the answer it reads while it writes. Were both from the same bound of connections, copies could hold all of
 * them and each wait for one more: so what a copy does at its destination has connections of its own.
 */
import type { GatewayContext } from '../operation.ts';

export function onCopyLane(gateway: GatewayContext): GatewayContext {
  const { upstream } = gateway;
  return {
    ...gateway,
    upstream: {
      capabilities: upstream.capabilities,
      send: (request) => upstream.send({ lane: 'copy', ...request }),
      close: () => upstream.close(),
    },
  };
}
