/**
 * A Bind with a value that cannot be sealed. The server may come to another fault ahead of it, which it then tells: a portal of the same name, a failed
 * transaction, a wrong count, a plain value that is none. So it gets the Bind without what is sealed, and with a fault of ours in the place of the value's.
 *
 * Source: exec_bind_message of tcop/postgres.c.
 */
import { encodeBind, formatAt, type Bind } from '../messages/bind.ts';
import type { ErrorFields } from '../messages/error-response.ts';
import type { SealedPlan } from '../plan.ts';
import { ValueError } from '../types/errors.ts';
import { note, refusalOf, refuseExtended } from './refusals.ts';
import type { Reply } from './reply.ts';
import type { Session } from './session.ts';

/** Of the parameter at `index` (from 0); `cause` says why. */
export class FaultyValue extends Error {
  readonly index: number;

  constructor(index: number, cause: unknown) {
    super('a value cannot be sealed', { cause });
    this.index = index;
  }
}

/** The format of the faulty value upstream, which there is not: the server says so with this number, once it comes to the value. */
const NO_FORMAT = 24_225;
/** invalid_parameter_value */
const OF_FORMAT = '22023';
/** string_data_right_truncation: what the column holds is looked at when all has been read, and the statement is planned with its values. */
const TOO_LONG = '22001';

/** Every other fault of a value comes before it, wherever in the Bind. */
export function isLate({ cause }: FaultyValue): boolean {
  return cause instanceof ValueError && cause.sqlstate === TOO_LONG;
}

export function refuseValue(session: Session, bind: Bind, plan: SealedPlan, fault: FaultyValue): void {
  const refusal = refusalOf(fault.cause);
  const values = bind.values.map((value, index) => (plan.parameters.has(index + 1) ? undefined : value));
  if (isLate(fault)) {
    session.wires.toUpstream(encodeBind({ ...bind, values, resultFormats: [] }));
    session.expect({ kind: 'bind', internal: {}, plan });
    return refuseExtended(session, refusal);
  }
  note(session, refusal);
  session.dropsCopyData = 'until-sync';
  const formats = values.map((_value, index) => (index === fault.index ? NO_FORMAT : formatAt(bind.formats, index)));
  session.wires.toUpstream(encodeBind({ ...bind, values, formats, resultFormats: [] }));
  session.expect({ kind: 'bind', refusal, atFormat: true, plan });
}

/** Whether the error is what the refusal stands for. */
export function isRefusedBy(fields: ErrorFields, head: Reply | undefined): boolean {
  if (head?.atFormat !== true) return true;
  return fields.get('C') === OF_FORMAT && fields.get('M')?.includes(String(NO_FORMAT)) === true;
}
