/** ParameterStatus ('S'): the server reports a setting, always to the client too. */
import { decodeParameterStatus } from '../../messages/parameter-status.ts';
import { FORWARD, type Verdict } from '../../wire/frame-stream.ts';
import { withParameterStatus, withReportedLexing } from '../settings.ts';
import { needControl, type BackendHandler } from './handler.ts';

/** Reported by some versions; what follows from them is asked for. */
const ASKED_FOR: ReadonlySet<string> = new Set(['search_path', 'role', 'session_authorization', 'is_superuser']);

export const parameterStatusHandler: BackendHandler = {
  need: needControl,
  frame(session, bytes, start, bodyLength): Verdict {
    const { name, value } = decodeParameterStatus(bytes.subarray(start, start + bodyLength));
    session.reported = withReportedLexing(session.reported, name, value);
    session.settings = withParameterStatus(session.settings, name, value);
    if (ASKED_FOR.has(name)) session.settingsStale = true;
    return FORWARD;
  },
};
