/** Conditions on reads and writes, alone and together, and parts of objects by their number. */
import type { Case } from '../case.ts';
import type { Answer, Side } from '../twins.ts';
import { document, put } from './requests.ts';

const OTHER = '"00000000000000000000000000000000"';
const PAST = 'Wed, 21 Oct 2015 07:28:00 GMT';
const FUTURE = 'Wed, 21 Oct 2099 07:28:00 GMT';
const MIB = 1024 * 1024;

type Headers = Readonly<Record<string, string>>;

const etagOf = ({ headers }: Answer): string => headers['etag'] ?? '';

/** Reads an object under conditions, some of which name its own ETag. */
const read = (what: string, headersFor: (etag: string) => Headers, method: 'GET' | 'HEAD' = 'GET'): Case => ({
  operation: method === 'GET' ? 'GetObject' : 'HeadObject',
  what,
  run: async (side) => {
    const made = await put(side, 'k', 'hello');
    return side.send({ method, key: 'k', headers: headersFor(etagOf(made)) });
  },
});

const write = (side: Side, key: string, headers: Headers): Promise<Answer> =>
  side.send({ method: 'PUT', key, body: 'again', headers });

/** Two parts: 5 MiB and 4 bytes. */
async function ofTwoParts(side: Side): Promise<void> {
  const created = await side.done({ method: 'POST', key: 'k', query: { uploads: '' } });
  const uploadId = /<UploadId>([^<]*)</u.exec(created.body.toString())?.[1] ?? '';
  const parts: string[] = [];
  for (const [index, body] of [Buffer.alloc(5 * MIB, 'part'), 'last'].entries()) {
    const partNumber = String(index + 1);
    const made = await side.done({ method: 'PUT', key: 'k', query: { partNumber, uploadId }, body });
    parts.push(`<Part><PartNumber>${partNumber}</PartNumber><ETag>${etagOf(made)}</ETag></Part>`);
  }
  const body = document('CompleteMultipartUpload', parts.join(''));
  await side.done({ method: 'POST', key: 'k', query: { uploadId }, body });
}

const byPart = (side: Side, method: 'GET' | 'HEAD', partNumber: string, headers: Headers = {}): Promise<Answer> =>
  side.send({ method, key: 'k', query: { partNumber }, headers });

export const CONDITION_CASES: readonly Case[] = [
  read('If-Match of its ETag, If-Unmodified-Since before it', (etag) => ({
    'if-match': etag,
    'if-unmodified-since': PAST,
  })),
  read('If-None-Match of another ETag, If-Modified-Since after it', () => ({
    'if-none-match': OTHER,
    'if-modified-since': FUTURE,
  })),
  read('If-None-Match of its ETag, If-Modified-Since before it', (etag) => ({
    'if-none-match': etag,
    'if-modified-since': PAST,
  })),
  read('If-Match of its ETag and If-None-Match of it', (etag) => ({ 'if-match': etag, 'if-none-match': etag })),
  read('If-Match of another ETag and of its own', (etag) => ({ 'if-match': `${OTHER}, ${etag}` })),
  read('If-Match of its ETag without quotes', (etag) => ({ 'if-match': etag.replaceAll('"', '') })),
  read('If-Unmodified-Since before it', () => ({ 'if-unmodified-since': PAST })),
  read('dates that are none', () => ({ 'if-modified-since': 'yesterday', 'if-unmodified-since': 'yesterday' })),
  read('a range if it has this ETag', (etag) => ({ range: 'bytes=1-2', 'if-range': etag })),
  read('a range if it has another ETag', () => ({ range: 'bytes=1-2', 'if-range': OTHER })),
  read('a range if it is not modified since', () => ({ range: 'bytes=1-2', 'if-range': FUTURE })),
  read('a range that is not there, of another ETag', () => ({ range: 'bytes=9-', 'if-match': OTHER })),
  read('a range', () => ({ range: 'bytes=1-2' }), 'HEAD'),
  read('a range that is not there', () => ({ range: 'bytes=9-' }), 'HEAD'),
  read('If-None-Match of its ETag', (etag) => ({ 'if-none-match': etag }), 'HEAD'),
  read('If-Match of another ETag', () => ({ 'if-match': OTHER }), 'HEAD'),
  {
    operation: 'PutObject',
    what: 'if there is none, of a key that is new and of one that is not',
    run: async (side) => [
      await write(side, 'k', { 'if-none-match': '*' }),
      await write(side, 'k', { 'if-none-match': '*' }),
    ],
  },
  {
    operation: 'PutObject',
    what: 'if there is one of this ETag, of another, and none',
    run: async (side) => {
      const made = await put(side, 'k', 'hello');
      return [
        await write(side, 'k', { 'if-match': OTHER }),
        await write(side, 'k', { 'if-match': etagOf(made) }),
        await write(side, 'none', { 'if-match': etagOf(made) }),
      ];
    },
  },
  {
    operation: 'GetObject',
    what: 'by part number, of an object that has no parts',
    run: async (side) => {
      await put(side, 'k', 'hello');
      return [
        await byPart(side, 'GET', '1'),
        await byPart(side, 'GET', '2'),
        await byPart(side, 'HEAD', '1'),
        await byPart(side, 'GET', '0'),
        await byPart(side, 'GET', '1', { range: 'bytes=0-1' }),
      ];
    },
  },
  {
    operation: 'GetObject',
    what: 'by part number, of an object of two parts',
    run: async (side) => {
      await ofTwoParts(side);
      return [await byPart(side, 'GET', '2'), await byPart(side, 'HEAD', '1'), await byPart(side, 'GET', '3')];
    },
  },
];
