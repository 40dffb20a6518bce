/** A request that is known to be allowed by policies and rules: what comes next is its body. */
import type { IncomingMessage } from 'node:http';
import type { S3Access } from '../access/rights.ts';
import type { Authenticator } from '../auth/authenticate.ts';
import type { ByteSource } from '../bodies/byte-source.ts';
import type { Decision, OperationTable } from '../decide.ts';
import type { GatewayContext, S3Headers, S3Query, S3Request, S3Response } from '../operation.ts';
import type { S3OperationName } from '../operation-names.ts';
import type { Place } from '../request/target.ts';

export type Understood = {
  readonly request: S3Request;
  readonly decision: Decision;
  /** Where the client is told the result in another form than the operation tells it. */
  readonly inItsForm?: (response: S3Response) => S3Response;
};

/** A request's head, authenticated where it is signed. */
export type RequestHead = Place & {
  readonly operation: S3OperationName;
  readonly method: S3Request['method'];
  readonly query: S3Query;
  readonly headers: S3Headers;
  readonly incoming: IncomingMessage;
  /** Its body as it comes. */
  readonly bytes: ByteSource;
  readonly requestId: string;
};

/** What a request is judged by. */
export type Judges = {
  readonly gateway: GatewayContext;
  readonly operations: OperationTable;
  readonly authenticate: Authenticator;
  readonly access: S3Access;
};
