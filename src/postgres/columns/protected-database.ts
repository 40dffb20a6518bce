/** A database with column rules, put together: service connection in; what session and analysis need out. */
import type { RandomSource } from '../../crypto/random.ts';
import type { DataKeys } from '../../keys/data-keys.ts';
import type { SealedColumn } from '../plan.ts';
import type { ServiceConnection } from '../service/connection.ts';
import type { SealRule } from '../service/rules.ts';
import { ensureSchema } from '../service/schema.ts';
import { ServerTimeZones } from '../service/time-zones.ts';
import type { ColumnService } from './column-service.ts';
import { escrowOwnerOf } from './dek-table.ts';
import { resolveRules } from './resolve.ts';
import { createColumnService } from './sealing-service.ts';

export type ProtectedColumnsOptions = {
  readonly connection: ServiceConnection;
  /** The rules of this database alone. */
  readonly rules: readonly SealRule[];
  readonly keys: DataKeys;
  readonly random: RandomSource;
};

export type ProtectedColumns = {
  readonly columns: ColumnService;
  /** The rules that hold now; for the analyzer's `resolveColumns`. */
  resolveColumns(): Promise<readonly SealedColumn[]>;
};

/** Makes schema `sealgate` where it is missing. Errors: ERR_POSTGRES_SERVICE_*. */
export async function openProtectedColumns(options: ProtectedColumnsOptions): Promise<ProtectedColumns> {
  const { connection, rules, keys, random } = options;
  const { databaseId } = await ensureSchema(connection, random);
  const zones = new ServerTimeZones(connection);
  if (rules.some(({ type }) => /^timestamp/i.test(type.trim()))) await zones.loadDefault();
  const escrowOwner = escrowOwnerOf(connection.database);
  return {
    columns: createColumnService({ connection, keys, random, databaseId, escrowOwner, zones }),
    resolveColumns: () => resolveRules(connection, rules, random),
  };
}
