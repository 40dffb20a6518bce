/** Uploads in parts, from their creation to their end. */
import type { Case } from '../case.ts';
import type { Answer, Side } from '../twins.ts';
import { document } from './requests.ts';

const MIB = 1024 * 1024;
const LARGE = Buffer.alloc(5 * MIB, 'part');

const textIn = ({ body }: Answer, name: string): string =>
  new RegExp(`<${name}>([^<]*)</${name}>`, 'u').exec(body.toString())?.[1] ?? '';

const create = (side: Side, key = 'k', headers = {}): Promise<Answer> =>
  side.done({ method: 'POST', key, query: { uploads: '' }, headers });

const upload = (side: Side, uploadId: string, partNumber: number, body: string | Uint8Array): Promise<Answer> =>
  side.done({ method: 'PUT', key: 'k', query: { partNumber: String(partNumber), uploadId }, body });

const complete = (side: Side, uploadId: string, parts: readonly (readonly [number, Answer])[]): Promise<Answer> =>
  side.send({ method: 'POST', key: 'k', query: { uploadId }, body: listed(parts) });

const listed = (parts: readonly (readonly [number, Answer])[]): string =>
  document(
    'CompleteMultipartUpload',
    parts
      .map(([n, { headers }]) => `<Part><PartNumber>${n}</PartNumber><ETag>${headers['etag'] ?? ''}</ETag></Part>`)
      .join(''),
  );

const opened = async (side: Side, key?: string): Promise<string> => textIn(await create(side, key), 'UploadId');

const listParts = (side: Side, uploadId: string, more = {}): Promise<Answer> =>
  side.send({ method: 'GET', key: 'k', query: { uploadId, ...more } });

export const MULTIPART_CASES: readonly Case[] = [
  { operation: 'CreateMultipartUpload', what: 'an upload', run: (side) => create(side) },
  {
    operation: 'UploadPart',
    what: 'a part, and one again',
    run: async (side) => {
      const id = await opened(side);
      return [await upload(side, id, 1, LARGE), await upload(side, id, 1, 'end')];
    },
  },
  {
    operation: 'UploadPart',
    what: 'an upload that is none, and part numbers that are none',
    run: async (side) => {
      const id = await opened(side);
      const put = (uploadId: string, partNumber: string): Promise<Answer> =>
        side.send({ method: 'PUT', key: 'k', query: { uploadId, partNumber }, body: 'x' });
      return [await put('nonsense', '1'), await put(id, '0'), await put(id, '10001')];
    },
  },
  {
    operation: 'UploadPart',
    what: 'an empty part 10000',
    run: async (side) => {
      const uploadId = await opened(side);
      return side.send({ method: 'PUT', key: 'k', query: { uploadId, partNumber: '10000' }, body: '' });
    },
  },
  ...[
    { what: 'an upload whose last part is a short one of number 10000', last: 'end' },
    { what: 'an upload whose last part is a long one of number 10000', last: LARGE.subarray(7) },
  ].map(({ what, last }): Case => ({
    operation: 'CompleteMultipartUpload',
    what,
    run: async (side) => {
      const id = await opened(side);
      const parts = [
        [9999, await upload(side, id, 9999, LARGE)],
        [10_000, await upload(side, id, 10_000, last)],
      ] as const;
      return [
        ...parts.map(([, part]) => part),
        await complete(side, id, parts),
        await side.send({ method: 'HEAD', key: 'k' }),
      ];
    },
  })),
  {
    operation: 'ListParts',
    what: 'none, three of unequal lengths, and pages of one',
    run: async (side) => {
      const id = await opened(side);
      const none = await listParts(side, id);
      const parts = [
        await upload(side, id, 3, LARGE.subarray(7)),
        await upload(side, id, 7, LARGE),
        await upload(side, id, 9, 'end'),
      ];
      const pages = [
        await listParts(side, id, { 'max-parts': '1' }),
        await listParts(side, id, { 'max-parts': '1', 'part-number-marker': '3' }),
        await listParts(side, id, { 'max-parts': '1', 'part-number-marker': '7' }),
      ];
      return [none, ...parts, await listParts(side, id), ...pages];
    },
  },
  {
    operation: 'ListParts',
    what: 'pages of none, of too many, and those that cannot be',
    run: async (side) => {
      const id = await opened(side);
      await upload(side, id, 1, 'end');
      return [
        await listParts(side, id, { 'max-parts': '0' }),
        await listParts(side, id, { 'max-parts': '2000' }),
        await listParts(side, id, { 'max-parts': '-1' }),
        await listParts(side, id, { 'max-parts': 'x' }),
        await listParts(side, id, { 'part-number-marker': '5' }),
        await listParts(side, id, { 'part-number-marker': 'x' }),
      ];
    },
  },
  { operation: 'ListParts', what: 'an upload that is none', run: (side) => listParts(side, 'nonsense') },
  {
    operation: 'CompleteMultipartUpload',
    what: 'two parts, then the object as it is described, listed and read',
    run: async (side) => {
      const id = await opened(side);
      const parts = [
        [1, await upload(side, id, 1, LARGE)],
        [2, await upload(side, id, 2, 'end')],
      ] as const;
      return [
        await complete(side, id, parts),
        await side.send({ method: 'HEAD', key: 'k' }),
        await side.send({ method: 'GET', query: { 'list-type': '2' } }),
        await side.send({ method: 'GET', key: 'k', headers: { range: 'bytes=5242878-' } }),
        await listParts(side, id),
      ];
    },
  },
  {
    operation: 'CompleteMultipartUpload',
    what: 'a last part of 5 MiB',
    run: async (side) => {
      const id = await opened(side);
      const parts = [
        [1, await upload(side, id, 1, LARGE)],
        [2, await upload(side, id, 2, LARGE)],
      ] as const;
      return [
        await complete(side, id, parts),
        await side.send({ method: 'HEAD', key: 'k' }),
        await side.send({ method: 'GET', query: {} }),
      ];
    },
  },
  {
    operation: 'CompleteMultipartUpload',
    what: 'parts out of order, one that was not uploaded, one that is too small, and none',
    run: async (side) => {
      const id = await opened(side);
      const [one, two] = [await upload(side, id, 1, 'small'), await upload(side, id, 2, LARGE)];
      return [
        await complete(side, id, [
          [2, two],
          [1, one],
        ]),
        await complete(side, id, [
          [1, one],
          [3, two],
        ]),
        await complete(side, id, [
          [1, one],
          [2, two],
        ]),
        await complete(side, id, []),
      ];
    },
  },
  {
    operation: 'CompleteMultipartUpload',
    what: 'where all that is written is retained for a day, and an upload that is aborted there',
    bucket: { 'x-amz-bucket-object-lock-enabled': 'true' },
    run: async (side) => {
      const rule = '<Rule><DefaultRetention><Mode>COMPLIANCE</Mode><Days>1</Days></DefaultRetention></Rule>';
      const body = document('ObjectLockConfiguration', `<ObjectLockEnabled>Enabled</ObjectLockEnabled>${rule}`);
      await side.done({ method: 'PUT', query: { 'object-lock': '' }, body });
      const id = await opened(side);
      const parts = [
        [1, await upload(side, id, 1, LARGE)],
        [2, await upload(side, id, 2, 'end')],
      ] as const;
      const completed = await complete(side, id, parts);
      const other = await opened(side);
      await upload(side, other, 1, 'x');
      return [
        completed,
        await side.send({ method: 'HEAD', key: 'k' }),
        await side.send({ method: 'DELETE', key: 'k', query: { uploadId: other } }),
        await side.send({ method: 'GET', query: { versions: '' } }),
      ];
    },
  },
  {
    operation: 'AbortMultipartUpload',
    what: 'an upload, again, and one that is none',
    run: async (side) => {
      const id = await opened(side);
      await upload(side, id, 1, 'x');
      const abort = (uploadId: string): Promise<Answer> =>
        side.send({ method: 'DELETE', key: 'k', query: { uploadId } });
      return [await abort(id), await abort(id), await abort('nonsense')];
    },
  },
  {
    operation: 'ListMultipartUploads',
    what: 'none, all, with a prefix, a delimiter and encoding, and pages of one',
    run: async (side) => {
      const uploads = (more = {}): Promise<Answer> => side.send({ method: 'GET', query: { uploads: '', ...more } });
      const none = await uploads();
      const made = [await create(side, 'a b'), await create(side, 'dir/1'), await create(side, 'dir/2')];
      const first = await uploads({ 'max-uploads': '1' });
      const markers = {
        'key-marker': textIn(first, 'NextKeyMarker'),
        'upload-id-marker': textIn(first, 'NextUploadIdMarker'),
      };
      return [
        none,
        ...made,
        await uploads(),
        await uploads({ prefix: 'dir/' }),
        await uploads({ delimiter: '/' }),
        await uploads({ 'encoding-type': 'url' }),
        first,
        await uploads({ 'max-uploads': '1', ...markers }),
      ];
    },
  },
  {
    operation: 'ListMultipartUploads',
    what: 'pages of none, of too many, and those that cannot be',
    run: async (side) => {
      const uploads = (more = {}): Promise<Answer> => side.send({ method: 'GET', query: { uploads: '', ...more } });
      await create(side, 'a');
      return [
        await uploads({ 'max-uploads': '0' }),
        await uploads({ 'max-uploads': '2000' }),
        await uploads({ 'max-uploads': '-1' }),
        await uploads({ 'max-uploads': 'x' }),
        await uploads({ 'key-marker': 'b' }),
        await uploads({ 'upload-id-marker': 'nonsense' }),
      ];
    },
  },
];
