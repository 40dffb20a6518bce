/**
 * ListBuckets over several stores: the buckets of each that lie in it by the gateway's rules, in the order of their names. That one of the
 * stores does not answer fails the whole: who synchronises by a list would take what is missing for gone.
 */
import { S3Error } from '../errors.ts';
import { readToken, tokenFor } from '../listing/continuation-token.ts';
import {
  childrenOf,
  childText,
  contentOf,
  formatXml,
  parseXml,
  type XmlContent,
  type XmlTree,
} from '../listing/xml-tree.ts';
import type { GatewayContext, S3Operation, S3Query, S3Request } from '../operation.ts';
import { MAX_LIST_BYTES } from '../sealing/limits.ts';
import { upstreamError } from '../sealing/upstream-errors.ts';
import type { ObjectStore } from '../upstream/client.ts';

/** S3's bound, and what a page has unless told. */
const MAX_BUCKETS = 10_000;
/** Of a store's page: two hundred bytes each. */
const PAGE_BUCKETS = 1000;
/** More than a store of any quota has. */
const MAX_PAGES = 1000;

type Bucket = { readonly name: string; readonly content: XmlContent };
type StoreList = { readonly buckets: readonly Bucket[]; readonly owner: XmlContent | undefined };

export const listBuckets: S3Operation = {
  name: 'ListBuckets',
  async handle(request, gateway) {
    const { stores } = gateway.upstream;
    // The answer of the only store is its own, in every detail.
    if (stores.length === 1) return gateway.forward(request);
    const after = nameBehind(request);
    const most = maxBuckets(request);
    const lists = await Promise.all(stores.map((store) => listOf(store, request, gateway)));
    const all = lists.flatMap(({ buckets }) => buckets).sort((one, other) => (one.name < other.name ? -1 : 1));
    const left = all.filter(({ name }) => after === undefined || name > after);
    const page = left.slice(0, most);
    const last = page.at(-1);
    const body = formatXml('ListAllMyBucketsResult', {
      Owner: lists[0]?.owner,
      Buckets: { Bucket: page.map(({ content }) => content) },
      ContinuationToken: left.length > page.length && last !== undefined ? tokenFor(last.name) : undefined,
      Prefix: request.query.get('prefix'),
    });
    return { status: 200, headers: { 'content-type': 'application/xml', 'content-length': String(body.length) }, body };
  },
};

/** All pages of a store, without what lies in another store. Throws ERR_S3_UPSTREAM_PROTOCOL where they do not end. */
async function listOf(store: ObjectStore, request: S3Request, { upstream }: GatewayContext): Promise<StoreList> {
  const prefix = request.query.get('prefix') ?? '';
  const buckets: Bucket[] = [];
  let owner: XmlContent | undefined;
  let token = '';
  for (let pages = 0; pages < MAX_PAGES; pages += 1) {
    const document: XmlTree = await pageOf(store, request, token);
    owner ??= document.children.get('Owner')?.map(contentOf)[0];
    for (const tree of childrenOf(document.children.get('Buckets')?.[0], 'Bucket')) {
      const name = childText(tree, 'Name') ?? '';
      // Not every store knows prefixes.
      if (upstream.storeOf(name) === store && name.startsWith(prefix)) buckets.push({ name, content: contentOf(tree) });
    }
    token = childText(document, 'ContinuationToken') ?? '';
    if (token === '') return { buckets, owner };
  }
  throw new S3Error('ERR_S3_UPSTREAM_PROTOCOL', 'The list of buckets of a store does not end.');
}

async function pageOf(store: ObjectStore, { query, signal }: S3Request, token: string): Promise<XmlTree> {
  const response = await store.send({ method: 'GET', query: storeQuery(query, token), signal });
  if (response.status !== 200) throw await upstreamError(response);
  const document = parseXml((await response.body.text(MAX_LIST_BYTES)).trim(), 'ListAllMyBucketsResult');
  if (document === undefined) throw new S3Error('ERR_S3_UPSTREAM_PROTOCOL');
  return document;
}

/** What chooses buckets goes along; pages are asked for, since S3 refuses more than 10 000 buckets in one, and made anew here. */
function storeQuery(query: S3Query, token: string): S3Query {
  const asked = [...query].filter(([name]) => name === 'prefix' || name === 'bucket-region');
  const page = [['max-buckets', String(PAGE_BUCKETS)] as const];
  return new Map([...asked, ...page, ...(token === '' ? [] : [['continuation-token', token] as const])]);
}

function maxBuckets({ query }: S3Request): number {
  const text = query.get('max-buckets');
  if (text === undefined) return MAX_BUCKETS;
  const most = /^[0-9]{1,5}$/u.test(text) ? Number(text) : 0;
  if (most < 1 || most > MAX_BUCKETS)
    throw new S3Error('ERR_S3_INVALID_ARGUMENT', 'Argument max-buckets must be an integer between 1 and 10000', {
      details: { ArgumentName: 'max-buckets', ArgumentValue: text },
    });
  return most;
}

/** The name behind which the page begins. */
function nameBehind({ query }: S3Request): string | undefined {
  const token = query.get('continuation-token');
  return token === undefined ? undefined : readToken(token);
}
