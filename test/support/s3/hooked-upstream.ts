/** Steps in between a gateway and its backend: for tests of what happens between two requests of it, and of backends that do other than they were told. */
import type { GatewayContext } from '../../../src/s3/operation.ts';
import { sendingBy, type UpstreamRequest, type UpstreamResponse } from '../../../src/s3/upstream/client.ts';

export type Hook = (
  request: UpstreamRequest,
  send: (request: UpstreamRequest) => Promise<UpstreamResponse>,
) => Promise<UpstreamResponse>;

/** Until it is disposed of. */
export function hookUpstream(gateway: GatewayContext, hook: Hook): Disposable {
  const { upstream } = gateway;
  const hooked = sendingBy(upstream, (request) => hook(request, (sent) => upstream.send(sent)));
  Object.assign(gateway, { upstream: hooked });
  return { [Symbol.dispose]: () => void Object.assign(gateway, { upstream }) };
}

/** A copy as the backend is asked for it. */
export const isServerCopy = ({ method, headers }: UpstreamRequest): boolean =>
  method === 'PUT' &&
  headers?.['x-amz-copy-source'] !== undefined &&
  !headers['x-amz-copy-source'].includes('.sealgate/');
