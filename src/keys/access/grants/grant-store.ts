/** The grants on keys of one region, as decisions and lists ask for them: read from the store when needed, and kept while they are asked for. */
import { LRUCache } from 'lru-cache';
import type { ServiceKey } from '../../../crypto/key-types.ts';
import type { RandomSource } from '../../../crypto/random.ts';
import type { GrantSource } from './grant.ts';
import { rowName, type RowRegion } from '../../regions/row-names.ts';
import type { GrantList } from '../../stores/grant-table.ts';
import type { KeyDatabase } from '../../stores/key-database.ts';
import type { Grant } from './grant.ts';
import { grantIdBytes, parseGrantRow } from './grant-rows.ts';
import { makeGrantToken, readGrantToken } from './token.ts';

/** What of a region's grants is asked for. */
export type GrantFilter = { readonly after: Uint8Array | undefined; readonly limit: number } & (
  | { readonly by: 'key'; readonly keyId: string }
  | { readonly by: 'grantee'; readonly keyId: string; readonly grantee: string }
  | { readonly by: 'retiring'; readonly retiring: string }
);

/** By key and grantee: about 30 MB where each holds one grant. */
const MAX_KEPT = 50_000;

const GRANT_ID = /^[0-9a-f]{64}$/;

export class GrantStore implements GrantSource {
  readonly #database: KeyDatabase;
  readonly #tokenKey: ServiceKey;
  readonly #region: RowRegion;
  readonly #kept = new LRUCache<string, readonly Grant[]>({ max: MAX_KEPT });
  readonly #versions = new Map<string, number>();
  #changes = 0;

  constructor(database: KeyDatabase, tokenKey: ServiceKey, region: RowRegion) {
    this.#database = database;
    this.#tokenKey = tokenKey;
    this.#region = region;
  }

  /** ERR_KEYS_STORE_TAMPERED, also of what follows. */
  of(keyId: string, grantee: string): readonly Grant[] {
    const name = keptName(keyId, grantee);
    const kept = this.#kept.get(name);
    if (kept !== undefined) return kept;
    const grants = this.#database.grants.of(this.#rowOf(keyId), grantee).map(parseGrantRow);
    this.#kept.set(name, grants);
    return grants;
  }

  version(keyId: string): number {
    return this.#versions.get(keyId) ?? 0;
  }

  /** Must be called when the store has the change, before it is acknowledged. */
  changed({ keyId, grantee }: Pick<Grant, 'keyId' | 'grantee'>): void {
    this.#kept.delete(keptName(keyId, grantee));
    this.#versions.set(keyId, (this.#changes += 1));
  }

  find(grantId: string): Grant | undefined {
    if (!GRANT_ID.test(grantId)) return undefined;
    const row = this.#database.grants.get(grantIdBytes(grantId));
    const grant = row === undefined ? undefined : parseGrantRow(row);
    return grant?.region === this.#region ? grant : undefined;
  }

  /** undefined for what is no token, and for one of a grant that is no more, or of another region. */
  byToken(token: string): Grant | undefined {
    const grantId = readGrantToken(token, this.#tokenKey);
    return grantId === undefined ? undefined : this.find(grantId);
  }

  makeToken(grantId: string, random: RandomSource): string {
    return makeGrantToken(grantId, this.#tokenKey, random);
  }

  named(keyId: string, name: string): readonly Grant[] {
    return this.#database.grants.named(this.#rowOf(keyId), name).map(parseGrantRow);
  }

  list(filter: GrantFilter): readonly Grant[] {
    return this.#database.grants.list(this.#inRegion(filter)).map(parseGrantRow);
  }

  count(keyId: string): number {
    return this.#database.grants.count(this.#rowOf(keyId));
  }

  #inRegion(filter: GrantFilter): GrantList {
    if (filter.by === 'retiring') return { ...filter, region: this.#region };
    return { ...filter, keyId: this.#rowOf(filter.keyId) };
  }

  #rowOf(keyId: string): string {
    return rowName(keyId, this.#region);
  }
}

function keptName(keyId: string, grantee: string): string {
  return `${keyId} ${grantee}`;
}
