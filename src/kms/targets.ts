/**
 * What X-Amz-Target may name: AWS's actions under AWS's name of the service, and ours under our own, so that no client of AWS takes
 * one for the other and no action that AWS may add is in the way.
 */
import type { Action } from './action.ts';
import { ACTIONS } from './actions/index-table.ts';
import { decrypt } from './actions/decrypt.ts';
import { generateDataKey } from './actions/generate-data-key.ts';
import { batchOf } from './batch/batch.ts';

const OWN: readonly Action[] = [batchOf('BatchGenerateDataKey', generateDataKey), batchOf('BatchDecrypt', decrypt)];

export const TARGETS: ReadonlyMap<string, Action> = new Map([
  ...[...ACTIONS.values()].map((action) => [`TrentService.${action.name}`, action] as const),
  ...OWN.map((action) => [`Sealgate.${action.name}`, action] as const),
]);
