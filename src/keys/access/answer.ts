/** A decision as the one who asked gets it: the reason for the record, and AWS's words for the caller who is refused. */
import type { AuthorizationDecision } from '../options.ts';
import { accessDeniedMessage, formatDecision, type Decision } from './decision.ts';
import type { AccessRequest } from './request.ts';

export function answer(request: AccessRequest, decision: Decision): AuthorizationDecision {
  const why = formatDecision(decision);
  return decision.allow
    ? { allow: true, why }
    : { allow: false, why, message: accessDeniedMessage(request, decision.by) };
}
