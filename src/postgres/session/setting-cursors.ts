/**
 * Cursors and portals whose rows set something (`DECLARE x CURSOR FOR SELECT set_config(...)`): FETCH and MOVE run their query, whatever they say themselves.
 * Which cursors a function has opened is not known. None but those that were declared or opened by what may set something do so, and they end with the
 * transaction: the rows of one WITH HOLD are made before.
 */
import type { TrackPlan } from '../plan.ts';
import type { Session } from './session.ts';

/** Whether there may be such a cursor in the open transaction. */
export function mayHaveSettingCursor(session: Session): boolean {
  const { settingsTouched, catalogTouched, catalogTouchedElsewhere, changesPending } = session;
  return settingsTouched || catalogTouched || catalogTouchedElsewhere || changesPending > 0;
}

/** What running a cursor or portal without sealed columns does. `name`: as the protocol's names are kept. */
export function effectOfCursor(session: Session, name: string): TrackPlan['effect'] | undefined {
  const portal = session.portals.get(name);
  if (portal?.type === 'track' && portal.effect !== undefined) return portal.effect;
  return (portal?.type === 'track' && portal.uses !== undefined) || mayHaveSettingCursor(session)
    ? 'settings'
    : undefined;
}
