/**
 * Names of statements and portals are text: under another client_encoding other bytes name the same one, which would be taken for one that is not known, and
 * what it is given for one that nothing is sealed in. While there are names to look at, those beyond ASCII are taken under UTF8 alone.
 */
import type { Refusal } from '../plan.ts';
import { AGAIN, CONSUME, type Verdict } from '../wire/frame-stream.ts';
import { untilCertain } from './certainty.ts';
import { isBeyondAscii, NAME_BYTES } from './name-table.ts';
import { mayBeOfOtherEncoding } from './planning.ts';
import { settle } from './probe.ts';
import { refusalOf, refuseExtended } from './refusals.ts';
import type { Session } from './session.ts';

export const NAME_NOT_UTF8: Refusal = {
  sqlstate: '0A000',
  code: 'ERR_POSTGRES_ENCODING',
  message:
    'beside statements on sealed columns the names of statements and portals are taken beyond ASCII in client_encoding UTF8 only',
  hint: 'SET client_encoding TO UTF8; where the database has another encoding, with no more than 63 bytes.',
};

/** What becomes of a message with this name in it; undefined: it is as it was read. */
export function judgeName(session: Session, name: string): Verdict | Promise<void | typeof AGAIN> | undefined {
  if (!mayBeOtherName(session, name)) return undefined;
  if (session.tracksPending > 0) return untilCertain(session);
  const refuse = (refusal: Refusal): void => refuseExtended(session, refusal);
  if (session.reportsPending && session.settingsStale)
    return settle(session).then(
      (readiness) => (readiness === 'failed' ? refuse(NAME_NOT_UTF8) : AGAIN),
      (error: unknown) => refuse(refusalOf(error)),
    );
  if (!isOfOtherEncoding(session, name)) return undefined;
  refuse(NAME_NOT_UTF8);
  return CONSUME;
}

/** Whether the name may be another than its bytes are in UTF-8, for all that is known without asking. */
export function mayBeOtherName(session: Session, name: string): boolean {
  return isBeyondAscii(name) && (mayBeOfOtherEncoding(session) || isReadOtherwise(session, name));
}

/** Of a statement that is to be remembered, once the settings are known. */
export function isOfOtherEncoding(session: Session, name: string): boolean {
  return isBeyondAscii(name) && (session.settings.clientEncoding !== 'UTF8' || isReadOtherwise(session, name));
}

/** In another encoding the server's 63 bytes are another part of it; in EUC_JP the two bars, U+00A6 and U+FFE4, are one character. */
function isReadOtherwise({ analyzer }: Session, name: string): boolean {
  if (analyzer.serverEncoding === 'EUC_JP' && BARS.test(name)) return true;
  return name.length > NAME_BYTES && analyzer.serverEncoding !== 'UTF8';
}

/** Their bytes in UTF-8, as names are kept. */
const BARS = /\xc2\xa6|\xef\xbf\xa4/;
