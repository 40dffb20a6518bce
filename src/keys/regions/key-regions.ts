/**
 * The keys of a store, by region. One process serves the regions that its config names, from one store; what is of a region that it does
 * not serve is kept, and out of reach. Multi-Region keys of one id, in several regions, are related: what they share changes together.
 */
import type { KeyRealm } from '../arn.ts';
import { KeysError } from '../errors.ts';
import { KeyRing, unopenedMaterial, type HeldKey } from '../key-ring.ts';
import type { MaterialVault } from '../material.ts';
import type { LoadedRows } from '../stores/load-rows.ts';
import { rowName, type RowRegion } from './row-names.ts';

/** `region`: the home region, of the gateway, the proxy and the commands, and of every key made before there were others. */
export type ServedRegions = KeyRealm & { readonly otherRegions?: readonly string[] | undefined };

export type RelatedKey = { readonly ring: KeyRing; readonly key: HeldKey };

export class KeyRegions {
  readonly home: KeyRing;
  readonly #account: string;
  readonly #now: () => number;
  /** By region, those that are not served among them. */
  readonly #rings = new Map<string, KeyRing>();
  readonly #served: ReadonlySet<string>;

  constructor({ region, account, otherRegions = [] }: ServedRegions, now: () => number) {
    this.#account = account;
    this.#now = now;
    this.#served = new Set([region, ...otherRegions]);
    this.home = this.#add(region, undefined);
    for (const other of otherRegions) if (!this.#rings.has(other)) this.#add(other, other);
  }

  /** The home region first. */
  served(): readonly KeyRing[] {
    return this.all().filter(({ realm }) => this.#served.has(realm.region));
  }

  all(): readonly KeyRing[] {
    return [...this.#rings.values()];
  }

  /** Undefined: not served here. */
  servedRing(region: string): KeyRing | undefined {
    return this.#served.has(region) ? this.#rings.get(region) : undefined;
  }

  /** Where rows of a region belong. ERR_KEYS_REGION: the home region has taken the name of one that the store holds. */
  ringOf(region: RowRegion): KeyRing {
    if (region === undefined) return this.home;
    if (region === this.home.realm.region)
      throw new KeysError('ERR_KEYS_REGION', `the store holds keys of ${region} besides those of its home region`);
    return this.#rings.get(region) ?? this.#add(region, region);
  }

  /** Every key of this id, in the order of regions; of a single-Region key none but itself. */
  related(keyId: string): readonly RelatedKey[] {
    return this.all().flatMap((ring) => {
      const key = ring.anyKey(keyId);
      return key === undefined ? [] : [{ ring, key }];
    });
  }

  #add(name: string, region: RowRegion): KeyRing {
    const related = (keyId: string): readonly HeldKey[] => this.related(keyId).map(({ key }) => key);
    const ring = new KeyRing({ region: name, account: this.#account }, this.#now, { region, related });
    this.#rings.set(name, ring);
    return ring;
  }
}

/**
 * The keys of a store whose rows have been authenticated: what a material was when it was written and tried, its row still is. So
 * opening each again can wait for its first use, and 100,000 keys do not keep a start waiting. Deleted keys are on record alone.
 * Errors: ERR_KEYS_STORE_DAMAGED, ERR_KEYS_REGION.
 */
export function loadKeyRegions(
  loaded: LoadedRows,
  served: ServedRegions,
  vault: MaterialVault,
  now: () => number,
): KeyRegions {
  const regions = new KeyRegions(served, now);
  const materials = Map.groupBy(loaded.materials, ({ keyId, region }) => rowName(keyId, region));
  for (const record of loaded.keys) {
    if (record.state === 'deleted') continue;
    const own = (materials.get(rowName(record.keyId, record.region)) ?? []).sort((a, b) => a.version - b.version);
    const held = own.map((material) => unopenedMaterial(material, record, vault));
    regions.ringOf(record.region).putKey(record, held);
  }
  for (const alias of loaded.aliases) regions.ringOf(alias.region).putAlias(alias);
  return regions;
}

/** Opens and tries every material, whether it is ever used or not; ERR_KEYS_STORE_TAMPERED. */
export function tryMaterials(regions: KeyRegions): void {
  for (const ring of regions.all())
    for (const { materials } of ring.everyKey()) for (const material of materials.values()) void material.secret;
}
