/** A case: the same requests to either side, and the answers that are compared. */
import type { S3OperationName } from '../../src/s3/operation-names.ts';
import type { Answer, Side } from './twins.ts';

export type Case = {
  readonly operation: S3OperationName;
  /** What is asked, as the page says it. */
  readonly what: string;
  /** Prepares what it needs (`side.done`) and gives the answers to compare. */
  readonly run: (side: Side) => Promise<Answer | readonly Answer[]>;
  /** The bucket's creation, where it needs more than a name. */
  readonly bucket?: Readonly<Record<string, string>>;
};
