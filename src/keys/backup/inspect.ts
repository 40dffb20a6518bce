/** Reads a store's file as a stranger with the root would: everything authenticated, every material opened and tried. */
import type { RootKey } from '../../crypto/key-types.ts';
import { loadKeyRegions, tryMaterials } from '../regions/key-regions.ts';
import type { Slot } from '../root/slots.ts';
import { unsealStore, type RootSource } from '../stores/open-store.ts';

export type Inspection = {
  readonly epoch: number;
  readonly keys: number;
  readonly materials: number;
  readonly slots: readonly Slot[];
};

/** Names and states are not looked at here: any realm and time will do. */
const NO_CLOCK = (): number => 0;
const NO_REALM = { region: 'none', account: '000000000000' };

/** Errors: as opening a store. */
export async function inspectDatabase(storePath: string, rootSource: RootSource): Promise<Inspection> {
  const store = await unsealStore({ storePath, unseal: [] }, 'reader', rootSource);
  try {
    const { loaded, database } = store;
    tryMaterials(loadKeyRegions(loaded, NO_REALM, { storeId: store.storeId, keys: store.keys }, NO_CLOCK));
    database.checkWhole();
    database.grants.verifyAll();
    const slots = loaded.slots;
    return { epoch: database.header.epoch, keys: loaded.keys.length, materials: loaded.materials.length, slots };
  } finally {
    store.database.close();
  }
}

export function rootSourceOf(root: RootKey): RootSource {
  return async () => root;
}
