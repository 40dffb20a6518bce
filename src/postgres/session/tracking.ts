/** What a finished statement, and the end of a transaction, mean for what the session knows. */
import type { TrackPlan } from '../plan.ts';
import type { Session, TransactionStatus } from './session.ts';

/** A statement with an effect has ended, well or not. */
export function noteEffect(session: Session, effect: TrackPlan['effect'] | undefined): void {
  if (effect === undefined) return;
  session.own.catalog = undefined;
  session.reportsPending = true;
  if (effect === 'transaction') session.blockInDoubt = true;
  // ROLLBACK TO takes settings back, and COMMIT AND CHAIN those that were LOCAL, with the transaction open before and after.
  if (effect === 'transaction' && !session.settingsTouched) return;
  session.settingsStale = true;
  if (effect === 'transaction') return;
  if (effect === 'settings' || effect === 'anything') session.settingsTouched = true;
  if (effect === 'settings') return;
  if (effect === 'elsewhere') session.catalogTouchedElsewhere = true;
  else session.catalogTouched = true;
}

/** ReadyForQuery: outside a transaction, what it changed is now true for all, or never was. */
export function noteStatus(session: Session, status: TransactionStatus): void {
  session.status = status;
  session.failureOver = false;
  session.blockInDoubt = false;
  session.reportsPending = false;
  asReported(session);
  if (status !== 'idle') return;
  session.own.catalog = undefined;
  session.own.places.clear();
  // Portals end with their transaction; those of messages already sent on are of a later one.
  if (session.portals.size > 0 && session.replies.size === 0) session.portals.forget(() => true);
  // As do cursors, but for those declared WITH HOLD.
  if (session.cursors.size > 0 && session.replies.size === 0) session.cursors.forget(({ holds }) => !holds);
  if (session.making.length > 0 && session.tracksPending === 0) session.made();
  const { catalogTouched, catalogTouchedElsewhere, settingsTouched } = session;
  if (catalogTouched || catalogTouchedElsewhere) session.analyzer.catalogChanged();
  if (catalogTouched || catalogTouchedElsewhere || settingsTouched) session.settingsStale = true;
  session.catalogTouched = false;
  session.catalogTouchedElsewhere = false;
  session.settingsTouched = false;
}

/**
 * Ahead of ReadyForQuery the server reports what differs from what it reported last (since PostgreSQL 14, only there): of what was set and taken back
 * before it nothing is said, and what was asked for in between is no longer so.
 */
function asReported(session: Session): void {
  const { settings, reported } = session;
  const { clientEncoding = settings.clientEncoding } = reported;
  const { standardConformingStrings = settings.standardConformingStrings } = reported;
  const isSo =
    clientEncoding === settings.clientEncoding && standardConformingStrings === settings.standardConformingStrings;
  if (!isSo) session.settings = { ...settings, clientEncoding, standardConformingStrings };
}
