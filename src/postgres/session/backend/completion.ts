/** CommandComplete ('C'), EmptyQueryResponse ('I') and PortalSuspended ('s'): a statement, or an Execute, is done. */
import type { Verdict } from '../../wire/frame-stream.ts';
import { endCopy } from '../copying.ts';
import { noteEffect } from '../tracking.ts';
import { expectHead, outOfStep, verdictFor, type BackendHandler } from './handler.ts';

export const commandCompleteHandler: BackendHandler = {
  need: () => 0,
  frame(session): Verdict {
    const head = expectHead(session, 'CommandComplete', 'query', 'execute');
    if (head.refusal !== undefined) throw outOfStep('CommandComplete for a refused message');
    endCopy(session, false);
    noteEffect(session, head.track);
    if (head.kind === 'query') {
      session.queryIndex++;
    } else {
      session.finish();
      head.internal?.done?.(true);
    }
    return verdictFor(head);
  },
};

export const portalSuspendedHandler: BackendHandler = {
  need: () => 0,
  frame(session): Verdict {
    const head = expectHead(session, 'PortalSuspended', 'execute');
    noteEffect(session, head.track);
    session.finish();
    return verdictFor(head);
  },
};
