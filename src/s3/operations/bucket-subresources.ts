/**
 * Settings of a bucket that the backend keeps and enforces: shown and changed as they are, where it knows them. What could hand data around
 * the gateway (`bucket-operations.ts`) is changed only where the bucket's rules allow it.
 */
import { refuseAround } from '../around.ts';
import { BUCKET_OPERATIONS_AROUND, PASSED_SETTINGS } from '../bucket-operations.ts';
import type { GatewayContext, S3Operation, S3Request, S3Response } from '../operation.ts';
import type { S3OperationName } from '../operation-names.ts';
import { documentOf, relay } from '../subresources/relay.ts';
import { checkUnderstood } from '../subresources/understood.ts';

export const SETTING_OPERATIONS: readonly S3Operation[] = [
  ...[...PASSED_SETTINGS].map((name): S3Operation => ({ name, handle: pass })),
  // The table's own keys.
  ...(Object.keys(BUCKET_OPERATIONS_AROUND) as S3OperationName[]).map((name): S3Operation => ({ name, handle: pass })),
];

async function pass(request: S3Request, gateway: GatewayContext): Promise<S3Response> {
  const around = BUCKET_OPERATIONS_AROUND[request.operation];
  if (around !== undefined) refuseAround(gateway.rules, request.bucket, request.operation, around);
  if (request.method === 'GET') return relay(request, gateway);
  const body = request.method === 'PUT' ? { body: await documentOf(request) } : {};
  await checkUnderstood(request, gateway);
  return relay(request, gateway, body);
}
