/** FunctionCall ('F'): only the functions for large objects, which drivers call this way; any other could touch sealed columns unseen. */
import { PostgresError } from '../../errors.ts';
import { CONSUME, FORWARD, type Verdict } from '../../wire/frame-stream.ts';
import { uint32At } from '../../wire/reader.ts';
import { askInFailedTransaction, hasFailed, refusalOf, refuseQuery } from '../refusals.ts';
import { PASS } from '../reply.ts';
import type { FrontendHandler } from './handler.ts';

/** pg_proc.oid, fixed by the server's catalog: lo_open, lo_close, loread, lowrite, lo_lseek, lo_creat, lo_tell, lo_unlink, lo_create, lo_truncate, and the 64-bit and get/put forms. */
const LARGE_OBJECT_FUNCTIONS: ReadonlySet<number> = new Set([
  952, 953, 954, 955, 956, 957, 958, 964, 715, 1004, 3170, 3171, 3172, 3457, 3458, 3459, 3460,
]);

export const functionCallHandler: FrontendHandler = {
  need: (_session, bodyLength) => Math.min(bodyLength, 4),
  frame(session, bytes, start, bodyLength): Verdict {
    // One that names none is the server's to refuse.
    if (bodyLength < 4 || LARGE_OBJECT_FUNCTIONS.has(uint32At(bytes, start))) {
      session.expect(PASS.functionCall);
      return FORWARD;
    }
    if (hasFailed(session)) {
      askInFailedTransaction(session, 'query');
      return CONSUME;
    }
    const message = 'FunctionCall takes only the large object functions on a database with sealed columns';
    refuseQuery(
      session,
      refusalOf(
        new PostgresError('ERR_POSTGRES_FUNCTION_CALL', message, {
          sqlstate: '0A000',
          hint: 'Call the function with SELECT.',
        }),
      ),
    );
    return CONSUME;
  },
};
