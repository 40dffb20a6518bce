/** A backend, a gateway that seals in front of it, and a side for each. */
import { SEALED_OPERATIONS } from '../../src/s3/operations/index-table.ts';
import { AWS_CAPABILITIES } from '../../src/s3/upstream/capabilities.ts';
import { keyFolder, TEST_USE } from '../support/keys.ts';
import { CLIENT, startEdge } from '../support/s3-edge.ts';
import { startBackend, type Backend } from '../support/s3-sealed.ts';
import { sidesOf, type Side } from './twins.ts';

type Kind = { readonly fresh: Side['fresh']; readonly prefix: string };

export type Twins = { readonly direct: Kind; readonly gateway: Kind; close(): Promise<void> };

/** Twins in front of Ceph RGW, or why there are none. */
export async function startTwins(): Promise<Twins | string> {
  const backend = await rgw();
  if (typeof backend === 'string') return backend;
  const keys = await keyFolder();
  const manager = await keys.open();
  await manager.createKey({ alias: 'alias/a' }, TEST_USE);
  const edge = await startEdge({
    store: backend,
    rules: [{ bucket: 'sealed-*', prefix: '', rule: { type: 'seal', keyId: 'alias/a', name: 'sealed' } }],
    capabilities: AWS_CAPABILITIES,
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

/** `S3_CONFORMANCE_RGW`: the URL of one that runs already, with the user of the shared script. */
async function rgw(): Promise<Backend | string> {
  const url = process.env['S3_CONFORMANCE_RGW'];
  if (url === undefined) return startBackend('radosgw');
  const credentials = {
    accessKeyId: '0555b35654ad1656d804',
    secretAccessKey: 'h7GhxuBLTrlhVUyxSPUKUV8r/2EI4ngqJxD7iBdBYLhwluN30JaT3Q==',
  };
  return { url, directory: '', ...credentials, close: () => Promise.resolve() };
}
