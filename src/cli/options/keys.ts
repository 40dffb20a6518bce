/** From the config's `keys` section to the key manager's options. */
import { pooledRandom } from '../../crypto/random.ts';
import type { AccessConfig, KeysConfig, UnsealConfig } from '../../config/config.ts';
import type { AccessOptions } from '../../keys/access/options.ts';
import type { KeyManagerOptions, KeyMetrics, KeyPorts, UnsealSecret } from '../../keys/options.ts';

export type KeyAcceptance = { readonly acceptRollback?: boolean; readonly acceptAuditGap?: boolean };

function unsealSecret(slot: UnsealConfig): UnsealSecret {
  switch (slot.type) {
    case 'keyFile':
      return { type: 'key-file', path: slot.path };
    case 'passphraseFile':
      return { type: 'passphrase-file', path: slot.path };
    case 'passphrase':
      return { type: 'passphrase', read: () => new TextEncoder().encode(slot.passphrase.reveal()) };
  }
}

export function keyManagerOptions(keys: KeysConfig, accept: KeyAcceptance = {}): KeyManagerOptions {
  const { audit } = keys;
  return {
    storePath: keys.store,
    ...(keys.epochFile === undefined ? {} : { epochPath: keys.epochFile }),
    unseal: keys.unseal.map(unsealSecret),
    region: keys.region,
    otherRegions: keys.otherRegions,
    account: keys.account,
    audit: { path: audit.file, durability: audit.durability, rotateAtBytes: audit.rotateAtBytes },
    cache: {
      maxAgeMs: keys.cache.maxAgeSeconds * 1000,
      maxUses: keys.cache.maxUses,
      maxEntries: keys.cache.maxEntries,
    },
    access: accessOptions(keys.access),
    life: keys.life,
    ...accept,
  };
}

export function accessOptions({ identities, ...access }: AccessConfig): AccessOptions {
  return {
    ...access,
    identities: identities.map(({ organization, ...identity }) => ({ ...identity, organizationId: organization })),
  };
}

export function keyPorts(metrics?: KeyMetrics): KeyPorts {
  return { random: pooledRandom(), now: Date.now, ...(metrics === undefined ? {} : { metrics }) };
}
