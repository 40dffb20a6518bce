/**
 * What else the storage behind the gateway knows, for `sealgate check`: each asked for in a way that changes nothing but a small hidden object
 * of the probe's own. A store that ignores a parameter answers with the object, or with a list of the bucket.
 */
import { newProbeKey } from './check-leftovers.ts';
import { deleteHiddenKey } from './listing/delete-hidden.ts';
import { parseXml } from './listing/xml-tree.ts';
import { MAX_LIST_BYTES } from './sealing/limits.ts';
import { isList } from './subresources/understood.ts';
import type { UpstreamClient } from './upstream/client.ts';

export type ProbedServices = {
  readonly tagging: boolean;
  readonly versioning: boolean;
  /** Settings of buckets that pass through the gateway, by their parameters. */
  readonly settings: Readonly<Record<string, boolean>>;
};

const SETTINGS = [
  'accelerate',
  'acl',
  'cors',
  'lifecycle',
  'logging',
  'notification',
  'object-lock',
  'ownershipControls',
  'policy',
  'publicAccessBlock',
  'requestPayment',
  'tagging',
] as const;

/** Rejects where there is no answer. */
export async function probeServices(
  upstream: UpstreamClient,
  bucket: string,
  random: (bytes: number) => Uint8Array,
): Promise<ProbedServices> {
  const key = newProbeKey(random);
  const made = await upstream.send({ method: 'PUT', bucket, key, body: Buffer.from('probe') });
  await made.body.release();
  const answers = (query: readonly (readonly [string, string])[], root: string, ofKey = false): Promise<boolean> =>
    answersWith({ upstream, bucket, ...(ofKey ? { key } : {}) }, new Map(query), root);
  try {
    const settings: Record<string, boolean> = {};
    for (const name of SETTINGS) settings[name] = await knows({ upstream, bucket }, name);
    return {
      tagging: await answers([['tagging', '']], 'Tagging', true),
      versioning: await answers([['versions', '']], 'ListVersionsResult'),
      settings,
    };
  } finally {
    await deleteHiddenKey({ upstream, bucket }, key);
  }
}

type Place = { readonly upstream: UpstreamClient; readonly bucket: string; readonly key?: string };

async function answersWith(
  { upstream, ...place }: Place,
  query: ReadonlyMap<string, string>,
  root: string,
): Promise<boolean> {
  const response = await upstream.send({ method: 'GET', ...place, query });
  const text = await response.body.text(MAX_LIST_BYTES);
  return response.status === 200 && parseXml(text, root) !== undefined;
}

/** That nothing is set says that it could be; refusing the method or the parameter says that it could not. */
async function knows({ upstream, bucket }: Place, name: string): Promise<boolean> {
  const response = await upstream.send({ method: 'GET', bucket, query: new Map([[name, '']]) });
  const document = await response.body.bytes(MAX_LIST_BYTES);
  return response.status === 404 || (response.status === 200 && !isList(document));
}
