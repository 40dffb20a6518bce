/** ParameterDescription ('t'): sealed parameters are reported with their logical types. RowDescription or NoData follows. */
import { decodeParameterDescription, encodeParameterDescription } from '../../messages/parameter-description.ts';
import { CONSUME, FORWARD, type Verdict } from '../../wire/frame-stream.ts';
import { expectHead, needControl, type BackendHandler } from './handler.ts';

export const parameterDescriptionHandler: BackendHandler = {
  need: needControl,
  frame(session, bytes, start, bodyLength): Verdict {
    const head = expectHead(session, 'ParameterDescription', 'describe-statement');
    if (head.internal !== undefined) return CONSUME;
    const plan = session.opening?.plan;
    if (plan === undefined || plan.parameterOids.size === 0) return FORWARD;
    const oids = decodeParameterDescription(bytes.subarray(start, start + bodyLength));
    session.wires.toClient(
      encodeParameterDescription(oids.map((oid, index) => plan.parameterOids.get(index + 1) ?? oid)),
    );
    return CONSUME;
  },
};
