/**
 * What a client says of the bucket itself: whose it has to be, and who pays. The storage is told so with all that is asked of it under the request's
 * own name, reads and parts too: one that looks at it refuses another's bucket, and needs the word of who is to pay.
 *
 * Not with what the gateway asks for its own sake (what the storage can do, hidden objects): a wrong owner that one client names is nobody else's answer.
 */
import type { GatewayContext, S3Request } from '../operation.ts';
import { pick } from '../sealing/request-headers.ts';
import { sendingBy } from '../upstream/client.ts';

const OF_BUCKET = ['x-amz-expected-bucket-owner', 'x-amz-request-payer'] as const;

/** The gateway, for an operation that makes its requests to the storage itself. */
export function askedOfBucket({ bucket, key, headers }: S3Request, gateway: GatewayContext): GatewayContext {
  const said = pick(headers, OF_BUCKET);
  if (Object.keys(said).length === 0) return gateway;
  const { upstream } = gateway;
  return {
    ...gateway,
    upstream: sendingBy(upstream, (sent) =>
      sent.bucket === bucket && (sent.key ?? '') === key
        ? upstream.send({ ...sent, headers: { ...said, ...sent.headers } })
        : upstream.send(sent),
    ),
  };
}
