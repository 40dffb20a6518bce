/** Copies of objects and into parts, within a bucket. */
import type { Case } from '../case.ts';
import type { Answer, Side } from '../twins.ts';
import { put, VERSIONED, versionOf } from './requests.ts';

const HEADERS = { 'content-type': 'text/x-source', 'cache-control': 'max-age=60', 'x-amz-meta-name': 'value' };
const OTHER_ETAG = '"00000000000000000000000000000000-0"';

const copy = (side: Side, from: string, key: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> =>
  side.send({ method: 'PUT', key, headers: { 'x-amz-copy-source': `${side.bucket}/${from}`, ...headers } });

const head = (side: Side, key: string): Promise<Answer> => side.send({ method: 'HEAD', key });
const tagsOf = (side: Side, key: string): Promise<Answer> => side.send({ method: 'GET', key, query: { tagging: '' } });

/** Copies `k` with these headers, and looks at the copy. */
const copied = (what: string, headers: Readonly<Record<string, string>>, key = 'copy'): Case => ({
  operation: 'CopyObject',
  what,
  run: async (side) => {
    await put(side, 'k', 'content', HEADERS);
    return [await copy(side, 'k', key, headers), await head(side, key)];
  },
});

const partCopy = (what: string, headers: Readonly<Record<string, string>>): Case => ({
  operation: 'UploadPartCopy',
  what,
  run: async (side) => {
    await put(side, 'k', 'content of the source');
    const created = await side.done({ method: 'POST', key: 'copy', query: { uploads: '' } });
    const uploadId = /<UploadId>([^<]*)</u.exec(created.body.toString())?.[1] ?? '';
    const source = { 'x-amz-copy-source': `${side.bucket}/k`, ...headers };
    return side.send({ method: 'PUT', key: 'copy', query: { partNumber: '1', uploadId }, headers: source });
  },
});

export const COPY_CASES: readonly Case[] = [
  copied('an object with headers and metadata', {}),
  copied('metadata replaced', {
    'x-amz-metadata-directive': 'REPLACE',
    'content-type': 'text/x-other',
    'x-amz-meta-other': '1',
  }),
  copied('to itself', {}, 'k'),
  copied('to itself, metadata replaced', { 'x-amz-metadata-directive': 'REPLACE', 'x-amz-meta-other': '1' }, 'k'),
  copied('a directive that is none', { 'x-amz-metadata-directive': 'nonsense' }),
  copied('if the source has another ETag', { 'x-amz-copy-source-if-match': OTHER_ETAG }),
  copied('if the source has not another ETag', { 'x-amz-copy-source-if-none-match': OTHER_ETAG }),
  copied('if the source is older than it is', {
    'x-amz-copy-source-if-unmodified-since': 'Wed, 21 Oct 2015 07:28:00 GMT',
  }),
  {
    operation: 'CopyObject',
    what: 'sources that are not there, or none',
    run: async (side) => [
      await copy(side, 'missing', 'copy'),
      await side.send({ method: 'PUT', key: 'copy', headers: { 'x-amz-copy-source': 'nonsense' } }),
      await copy(side, '', 'copy'),
    ],
  },
  {
    operation: 'CopyObject',
    what: 'tags, taken over',
    run: async (side) => {
      await put(side, 'k', 'content', { 'x-amz-tagging': 'a=1&b=2' });
      return [await copy(side, 'k', 'copy'), await tagsOf(side, 'copy')];
    },
  },
  {
    operation: 'CopyObject',
    what: 'tags, taken over with metadata replaced, and replaced',
    run: async (side) => {
      await put(side, 'k', 'content', { 'x-amz-tagging': 'a=1&b=2' });
      const replaced = { 'x-amz-tagging-directive': 'REPLACE', 'x-amz-tagging': 'c=3' };
      await copy(side, 'k', 'one', { 'x-amz-metadata-directive': 'REPLACE' });
      await copy(side, 'k', 'two', replaced);
      return [await tagsOf(side, 'one'), await tagsOf(side, 'two')];
    },
  },
  {
    operation: 'CopyObject',
    what: 'versions, the newer and the older',
    run: async (side) => {
      await side.done(VERSIONED);
      const first = await put(side, 'k', 'first');
      await put(side, 'k', 'second');
      const { versionId } = versionOf(first);
      return [
        await copy(side, 'k', 'copy'),
        await side.send({ method: 'GET', key: 'copy' }),
        await copy(side, `k?versionId=${versionId}`, 'k'),
        await side.send({ method: 'GET', key: 'k' }),
      ];
    },
  },
  partCopy('a whole object', {}),
  partCopy('a range', { 'x-amz-copy-source-range': 'bytes=2-8' }),
  partCopy('a range beyond the end', { 'x-amz-copy-source-range': 'bytes=2-800' }),
  partCopy('a range that is none', { 'x-amz-copy-source-range': 'bytes=8-2' }),
];
