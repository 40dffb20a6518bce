/** What of a session's settings a plan depends on, as one string. */
import type { SessionSettings } from '../session/settings.ts';

const KEYS = new WeakMap<SessionSettings, string>();

/** The session replaces its settings as a whole, so the key is made once for each value. */
export function settingsKey(settings: SessionSettings): string {
  const known = KEYS.get(settings);
  if (known !== undefined) return known;
  const { searchPath, clientEncoding, standardConformingStrings, uncommittedCatalog, uncommittedElsewhere } = settings;
  const { shadowedType, arrayNulls } = settings;
  const key = JSON.stringify([
    searchPath,
    clientEncoding,
    standardConformingStrings,
    uncommittedCatalog,
    uncommittedElsewhere,
    shadowedType,
    arrayNulls,
  ]);
  KEYS.set(settings, key);
  return key;
}
