/** Who is shown which types of sealed columns by queries of the catalog. */
import type { SessionSettings } from '../../session/settings.ts';

/** `physical`: as the server has them, with the guard's domain. */
export type CatalogTypes = 'logical' | 'physical';

/** What they write is DDL for the server itself: restored, sealed columns must have the guard's type. */
const DUMPING: ReadonlySet<string> = new Set(['pg_dump', 'pg_dumpall', 'pg_restore', 'pg_upgrade']);

/** The session's own word (`SET sealgate.catalog = physical`) counts more than its program's name, and that more than the config. */
export function shownTypes({ catalogTypes, applicationName }: SessionSettings, configured: CatalogTypes): CatalogTypes {
  if (catalogTypes === 'logical' || catalogTypes === 'physical') return catalogTypes;
  return DUMPING.has(applicationName) ? 'physical' : configured;
}
