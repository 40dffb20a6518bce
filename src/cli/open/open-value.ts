/** Opens one sealed value with the key store alone: its data key is held there in escrow. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { malformed } from '../../envelope/errors.ts';
import { openValue, parseSealedValue } from '../../envelope/sealed-value.ts';
import type { KeyUse } from '../../keys/uses/data-keys.ts';
import { KeysError } from '../../keys/errors.ts';
import type { KeyManager } from '../../keys/key-manager.ts';
import { ownerOfContext } from '../../postgres/columns/dek-table.ts';
import { parseLogicalType } from '../../postgres/types/type-text.ts';
import { printValue } from '../../postgres/types/values.ts';
import type { CommandIo } from '../command.ts';
import { cannotRead, CliError } from '../errors.ts';

/** What is printed here is printed in UTC. */
const UTC = { offsetAt: () => 0, offsetForLocal: () => 0 };

/** The bytes that psql prints as `\x…`, or `@file` holding that. Errors: ERR_CLI_USAGE, ERR_CLI_READ. */
export function parseSealedText(given: string, { cwd }: Pick<CommandIo, 'cwd'>): Uint8Array {
  const text = (given.startsWith('@') ? readText(resolve(cwd, given.slice(1))) : given).trim();
  const hex = text.startsWith('\\x') ? text.slice(2) : text;
  if (!/^(?:[0-9a-f]{2})+$/iu.test(hex))
    throw new CliError('ERR_CLI_USAGE', 'a sealed value is hex digits, as psql prints bytea: \\xf5534756…');
  return Buffer.from(hex, 'hex');
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch (cause) {
    throw cannotRead(path, cause);
  }
}

/** Canonical bytes, or with a type the value's text. Errors: ERR_ENVELOPE_*, ERR_KEYS_*, ERR_POSTGRES_TYPE_UNKNOWN. */
export async function openSealedValue(
  sealed: Uint8Array,
  typeName: string | undefined,
  { keys, use }: { readonly keys: Pick<KeyManager, 'decrypt' | 'escrowedKey'>; readonly use: KeyUse },
): Promise<Uint8Array> {
  const type = typeName === undefined ? undefined : parseLogicalType(typeName);
  const { dekId } = parseSealedValue(sealed);
  const record = await keys.escrowedKey(dekId);
  if (record === undefined) {
    throw new KeysError(
      'ERR_KEYS_NOT_FOUND',
      `the data key ${Buffer.from(dekId).toString('hex')} of this value is not in escrow here`,
    );
  }
  const owner = ownerOfContext(record.context);
  if (owner === undefined) throw malformed();
  const { dek } = await keys.decrypt({ wrapped: record.wrapped, context: record.context }, use);
  const canonical = openValue({ dek, aad: Buffer.from(owner.id, 'hex'), sealed });
  if (type === undefined) return canonical;
  const settings = { timeZone: 'UTC', dateStyle: 'ISO, MDY', clientEncoding: 'UTF8' };
  return printValue(canonical, 'text', { type, purpose: 'store', settings, zones: { zone: () => UTC } });
}
