/** Operation name to handler: the operations that exist on sealed keys and in buckets with a sealing rule. */
import type { S3Operation } from '../operation.ts';
import type { S3OperationName } from '../operation-names.ts';

export const SEALED_OPERATIONS: Readonly<Partial<Record<S3OperationName, S3Operation>>> = {};
