/** A key that has as many grants as a key may have: written into the store past the key manager, since one by one takes minutes. */
import { randomBytes } from 'node:crypto';
import { grantRow } from '../../src/keys/access/grants/grant-rows.ts';
import { MAX_GRANTS_PER_KEY } from '../../src/keys/limits.ts';
import { unsealStore } from '../../src/keys/stores/open-store.ts';
import { takeOwnerLock } from '../../src/keys/stores/owner-lock.ts';
import { grant } from '../support/keys/access.ts';
import { TEST_USE, type KeyFolder } from '../support/keys/keys.ts';

/** Nobody else has the store open. */
export async function makeFullKey(folder: KeyFolder): Promise<string> {
  const manager = await folder.open();
  const { keyId } = await manager.createKey({}, TEST_USE);
  await manager.close();
  const lock = takeOwnerLock(folder.options.storePath);
  const { database } = await unsealStore(folder.options, 'owner');
  try {
    const rows = Array.from({ length: MAX_GRANTS_PER_KEY }, () =>
      grantRow(grant({ keyId, grantId: randomBytes(32).toString('hex') })),
    );
    database.amend(rows.map((row) => ({ type: 'put', table: 'grants', row })));
  } finally {
    database.close();
    lock.release();
  }
  return keyId;
}
