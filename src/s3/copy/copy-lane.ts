/**
 * A copy that streams holds the answer it reads while it writes. Were both from the same bound of connections, copies could hold all of
 * them and each wait for one more: so what a copy does at its destination has connections of its own.
 */
import type { GatewayContext } from '../operation.ts';
import { sendingBy } from '../upstream/client.ts';

export function onCopyLane(gateway: GatewayContext): GatewayContext {
  const { upstream } = gateway;
  return {
    ...gateway,
    upstream: sendingBy(upstream, (request) => upstream.send({ lane: 'copy', ...request })),
  };
}
