/** A backend, a gateway that seals in front of it, and a side for each. */
import { SEALED_OPERATIONS } from '../../src/s3/operations/index-table.ts';
import { keyFolder, TEST_USE } from '../support/keys/keys.ts';
import { CLIENT, startEdge } from '../support/s3/edge.ts';
import type { Backend } from '../support/s3/sealed.ts';
import type { ComparedBackend } from './backends.ts';
import { sidesOf, type Side } from './twins.ts';

type Kind = { readonly fresh: Side['fresh']; readonly prefix: string };

export type Twins = { readonly direct: Kind; readonly gateway: Kind; close(): Promise<void> };

/** Twins in front of this backend, or why there are none. */
export async function startTwins({ start, capabilities }: ComparedBackend): Promise<Twins | string> {
  const backend = await start();
  if (typeof backend === 'string') return backend;
  const keys = await keyFolder();
  const manager = await keys.open();
  await manager.createKey({ alias: 'alias/a' }, TEST_USE);
  const edge = await startEdge({
    store: backend,
    rules: [{ bucket: 'sealed-*', prefix: '', rule: { type: 'seal', keyId: 'alias/a', name: 'sealed' } }],
    capabilities,
    operations: SEALED_OPERATIONS,
    dataKeys: manager,
  });
  // An own name for each run: a backend that is there already may have buckets of an earlier one.
  const run = Date.now().toString(36);
  const kind = (prefix: string, url: string, credentials: typeof CLIENT | Backend): Kind => ({
    prefix,
    fresh: sidesOf({ url, credentials, prefix }),
  });
  return {
    direct: kind(`direct-${run}-`, backend.url, backend),
    gateway: kind(`sealed-${run}-`, edge.url, CLIENT),
    close: async () => {
      await edge.close();
      await keys[Symbol.asyncDispose]();
      await backend.close();
    },
  };
}
