/** Lists of objects and of versions, in both versions of the API. */
import type { Case } from '../case.ts';
import type { Answer, Side } from '../twins.ts';
import { put, VERSIONED } from './requests.ts';

/** Keys that sort, encode and escape in every way that matters. */
const KEYS = ['a b', 'a+b', 'a%20b', 'a~b', 'q\'uo"te', '<&>', 'ü/ö', 'dir/1', 'dir/2', 'dir/sub/3', 'z'];

async function filled(side: Side, keys: readonly string[] = KEYS): Promise<void> {
  for (const [index, key] of keys.entries()) await put(side, key, 'x'.repeat(index));
}

type Query = Readonly<Record<string, string>>;

const list = (side: Side, query: Query): Promise<Answer> => side.send({ method: 'GET', query });

/** Follows a list to its end by what each page says the next one begins with. */
async function pages(side: Side, query: Query, next: (page: string) => Query | undefined): Promise<readonly Answer[]> {
  const found: Answer[] = [];
  for (let more: Query | undefined = {}; more !== undefined && found.length < 20;) {
    const page = await list(side, { ...query, ...more });
    found.push(page);
    more = next(page.body.toString());
  }
  return found;
}

const textIn = (page: string, name: string): string | undefined =>
  decoded(new RegExp(`<${name}>([^<]*)</${name}>`, 'u').exec(page)?.[1]);
const decoded = (text: string | undefined): string | undefined =>
  text
    ?.replaceAll('&quot;', '"')
    .replaceAll('&apos;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
const lastKey = (page: string): string | undefined => decoded(/^.*<Key>([^<]*)<\/Key>/su.exec(page)?.[1]);

const V1: readonly (readonly [string, Query])[] = [
  ['all', {}],
  ['a prefix', { prefix: 'dir/' }],
  ['a delimiter', { delimiter: '/' }],
  ['a prefix and a delimiter', { prefix: 'dir/', delimiter: '/' }],
  ['encoding-type=url', { 'encoding-type': 'url' }],
  [
    'encoding-type=url, with prefix, marker and delimiter that have to be encoded',
    { 'encoding-type': 'url', prefix: 'a', marker: 'a b', delimiter: ' ' },
  ],
  ['encoding-type=base64', { 'encoding-type': 'base64' }],
  ['max-keys=0', { 'max-keys': '0' }],
  ['max-keys beyond 1000', { 'max-keys': '2000' }],
  ['max-keys=-1', { 'max-keys': '-1' }],
  ['max-keys=x', { 'max-keys': 'x' }],
  ['a marker', { marker: 'dir/1' }],
  ['a marker behind all', { marker: 'zz' }],
  ['a marker before the prefix', { marker: 'a', prefix: 'dir/' }],
  ['a marker behind the prefix', { marker: 'e', prefix: 'dir/' }],
  ['a prefix that is a whole key', { prefix: 'dir/1' }],
  ['a prefix that nothing has', { prefix: 'none/' }],
  ['a delimiter of several letters', { delimiter: 'ir/s' }],
  ['a delimiter that nothing has', { delimiter: '|' }],
  ['an empty delimiter, prefix and marker', { delimiter: '', prefix: '', marker: '' }],
  ['a marker within what the delimiter puts together', { delimiter: '/', marker: 'dir/1' }],
];

const V2: readonly (readonly [string, Query])[] = [
  ...V1.filter(([, query]) => query['marker'] === undefined),
  ['fetch-owner', { 'fetch-owner': 'true' }],
  ['start-after', { 'start-after': 'dir/1' }],
  ['start-after, before the prefix', { 'start-after': 'a', prefix: 'dir/' }],
  ['start-after, behind the prefix', { 'start-after': 'e', prefix: 'dir/' }],
  ['an empty start-after', { 'start-after': '' }],
  ['a token that is none', { 'continuation-token': 'nonsense' }],
  ['an empty token', { 'continuation-token': '' }],
  ['encoding-type=url, with start-after', { 'encoding-type': 'url', 'start-after': 'a b' }],
];

export const LIST_CASES: readonly Case[] = [
  { operation: 'ListObjects', what: 'an empty bucket', run: (side) => list(side, {}) },
  ...V1.map(([what, query]): Case => ({
    operation: 'ListObjects',
    what,
    run: async (side) => {
      await filled(side);
      return list(side, query);
    },
  })),
  {
    operation: 'ListObjects',
    what: 'pages of three',
    run: async (side) => {
      await filled(side);
      return pages(side, { 'max-keys': '3', 'encoding-type': 'url' }, (page) =>
        textIn(page, 'IsTruncated') === 'true' ? { marker: decodeURIComponent(lastKey(page) ?? '') } : undefined,
      );
    },
  },
  {
    operation: 'ListObjects',
    what: 'pages of two with a delimiter',
    run: async (side) => {
      await filled(side);
      return pages(side, { 'max-keys': '2', delimiter: '/', prefix: 'd' }, (page) => {
        const marker = textIn(page, 'NextMarker');
        return marker === undefined ? undefined : { marker };
      });
    },
  },
  { operation: 'ListObjectsV2', what: 'an empty bucket', run: (side) => list(side, { 'list-type': '2' }) },
  ...V2.map(([what, query]): Case => ({
    operation: 'ListObjectsV2',
    what,
    run: async (side) => {
      await filled(side);
      return list(side, { 'list-type': '2', ...query });
    },
  })),
  {
    operation: 'ListObjectsV2',
    what: 'pages of three',
    run: async (side) => {
      await filled(side);
      return pages(side, { 'list-type': '2', 'max-keys': '3' }, (page) => {
        const token = textIn(page, 'NextContinuationToken');
        return token === undefined ? undefined : { 'continuation-token': token };
      });
    },
  },
  {
    operation: 'ListObjectsV2',
    what: 'pages of two with a delimiter',
    run: async (side) => {
      await filled(side);
      return pages(side, { 'list-type': '2', 'max-keys': '2', delimiter: '/' }, (page) => {
        const token = textIn(page, 'NextContinuationToken');
        return token === undefined ? undefined : { 'continuation-token': token };
      });
    },
  },
  ...(
    [
      ['all', {}],
      ['a prefix', { prefix: 'dir/' }],
      ['a delimiter', { delimiter: '/' }],
      ['encoding-type=url', { 'encoding-type': 'url' }],
      ['max-keys=0', { 'max-keys': '0' }],
      ['max-keys=x', { 'max-keys': 'x' }],
      ['a key marker', { 'key-marker': 'dir/1' }],
      ['a version marker without a key', { 'version-id-marker': 'x' }],
    ] as const
  ).map(([what, query]): Case => ({
    operation: 'ListObjectVersions',
    what,
    run: async (side) => {
      await versions(side);
      return list(side, { versions: '', ...query });
    },
  })),
  { operation: 'ListObjectVersions', what: 'an empty bucket', run: (side) => list(side, { versions: '' }) },
  {
    operation: 'ListObjectVersions',
    what: 'a bucket without versions',
    run: async (side) => {
      await filled(side, ['a', 'b']);
      return list(side, { versions: '' });
    },
  },
  {
    operation: 'ListObjectVersions',
    what: 'pages of two',
    run: async (side) => {
      await versions(side);
      return pages(side, { versions: '', 'max-keys': '2' }, (page) =>
        textIn(page, 'IsTruncated') === 'true'
          ? {
              'key-marker': textIn(page, 'NextKeyMarker') ?? '',
              'version-id-marker': textIn(page, 'NextVersionIdMarker') ?? '',
            }
          : undefined,
      );
    },
  },
];

/** Null versions, versions, and delete markers, latest and not. */
async function versions(side: Side): Promise<void> {
  await put(side, 'dir/1', 'null');
  await side.done(VERSIONED);
  await put(side, 'dir/1', 'longer');
  await put(side, 'a b', '1');
  await put(side, 'a b', '22');
  await side.done({ method: 'DELETE', key: 'a b' });
  await side.done({ method: 'DELETE', key: 'dir/1' });
  await put(side, 'dir/1', 'again');
  await put(side, 'z', '');
}
