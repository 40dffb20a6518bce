/** One request of a sequence, as it is drawn; what it names of earlier ones (versions, uploads) each side looks up in what it was answered. */
import fc from 'fast-check';
import type { S3OperationName } from '../../../src/s3/operation-names.ts';
import { document, escaped, SUSPENDED, tagging, VERSIONED } from '../cases/requests.ts';
import type { Answer, Asked } from '../twins.ts';

const MIB = 1024 * 1024;

export const KEYS = ['a', 'b/1', 'b/2', 'ü x'] as const;
/** Around the edges of segments, of which an object is sealed. */
const SIZES = [0, 1, 17, 65_535, 65_536, 65_537, 200_000] as const;
const PART_SIZES = [0, 1, 70_000, 5 * MIB, 5 * MIB + 1] as const;
const RANGES = [
  'bytes=0-0',
  'bytes=1-',
  'bytes=-1',
  'bytes=65535-65536',
  'bytes=70000-200000',
  'bytes=5242879-',
] as const;

/** What a side was answered so far. */
export type Memory = {
  readonly versions: { readonly key: string; readonly id: string }[];
  readonly uploads: { readonly key: string; readonly id: string; readonly parts: Map<number, string> }[];
  /** How many objects and parts were written: no two of them are alike. */
  written: number;
};

export const newMemory = (): Memory => ({ versions: [], uploads: [], written: 0 });

export type Step = {
  readonly operation: S3OperationName;
  /** `undefined` where it is about something that is not there yet. */
  readonly ask: (memory: Memory) => Asked | undefined;
  /** Asked for page by page, to the last. */
  readonly isList?: true;
  readonly learn?: (memory: Memory, asked: Asked, answer: Answer) => void;
};

/** A step as fast-check shows it. */
export type Drawn = readonly [name: keyof typeof STEPS, ...choices: readonly number[]];

const at = <T>(choices: readonly T[], index: number): T => {
  const chosen = choices[index % choices.length];
  if (chosen === undefined) throw new RangeError('nothing to choose from');
  return chosen;
};

function content(memory: Memory, size: number): Buffer {
  memory.written += 1;
  const body = Buffer.alloc(size, `${memory.written} content `);
  body.write(`#${memory.written}`.slice(0, size));
  return body;
}

/** A key and perhaps one of its versions, or of another's: 0 is the newest of the key. */
function named(memory: Memory, key: number, version: number): { key: string; query: Record<string, string> } {
  const one = version === 0 ? undefined : memory.versions[(version - 1) % Math.max(memory.versions.length, 1)];
  return one === undefined ? { key: at(KEYS, key), query: {} } : { key: one.key, query: { versionId: one.id } };
}

function learnVersion(memory: Memory, { key }: Asked, { headers }: Answer): void {
  const id = headers['x-amz-version-id'];
  if (id !== undefined && key !== undefined && !memory.versions.some((one) => one.id === id && one.key === key))
    memory.versions.push({ key, id });
}

const uploadOf = (memory: Memory, index: number): Memory['uploads'][number] | undefined =>
  memory.uploads[index % Math.max(memory.uploads.length, 1)];

const sourceOf = (memory: Memory, bucket: string, key: number, version: number): string => {
  const source = named(memory, key, version);
  const id = source.query['versionId'];
  return `${bucket}/${encodeURIComponent(source.key)}${id === undefined ? '' : `?versionId=${id}`}`;
};

/** A bucket is named by what each side calls it. */
export const BUCKET_NAME = '(bucket)';

export const STEPS = {
  put: (key: number, size: number, kind: number): Step => ({
    operation: 'PutObject',
    ask: (memory) => ({
      method: 'PUT',
      key: at(KEYS, key),
      body: content(memory, at(SIZES, size)),
      headers: at<Record<string, string>>(
        [
          {},
          {},
          { 'content-type': 'text/x-kind', 'x-amz-meta-name': `value ${kind}`, 'cache-control': 'max-age=1' },
          { 'x-amz-tagging': `kind=${kind}` },
          { 'if-none-match': '*' },
        ],
        kind,
      ),
    }),
    learn: learnVersion,
  }),
  get: (key: number, version: number, range: number): Step => ({
    operation: 'GetObject',
    ask: (memory) => ({
      method: 'GET',
      ...named(memory, key, version),
      headers: range % 2 === 0 ? {} : { range: at(RANGES, range) },
    }),
  }),
  head: (key: number, version: number): Step => ({
    operation: 'HeadObject',
    ask: (memory) => ({ method: 'HEAD', ...named(memory, key, version) }),
  }),
  remove: (key: number, version: number): Step => ({
    operation: 'DeleteObject',
    ask: (memory) => ({ method: 'DELETE', ...named(memory, key, version) }),
    learn: learnVersion,
  }),
  removeMany: (first: number, firstVersion: number, second: number, quiet: number): Step => ({
    operation: 'DeleteObjects',
    ask: (memory) => {
      const rows = [named(memory, first, firstVersion), named(memory, second, 0)].map(({ key, query }) => {
        const id = query['versionId'];
        return `<Object><Key>${escaped(key)}</Key>${id === undefined ? '' : `<VersionId>${id}</VersionId>`}</Object>`;
      });
      const body = document('Delete', `${quiet % 3 === 0 ? '<Quiet>true</Quiet>' : ''}${rows.join('')}`);
      return { method: 'POST', query: { delete: '' }, body };
    },
  }),
  copy: (from: number, version: number, to: number, kind: number): Step => ({
    operation: 'CopyObject',
    ask: (memory) => ({
      method: 'PUT',
      key: at(KEYS, to),
      headers: {
        'x-amz-copy-source': sourceOf(memory, BUCKET_NAME, from, version),
        ...at<Record<string, string>>(
          [
            {},
            {},
            { 'x-amz-metadata-directive': 'REPLACE', 'content-type': 'text/x-copy', 'x-amz-meta-copy': `${kind}` },
            { 'x-amz-tagging-directive': 'REPLACE', 'x-amz-tagging': `copy=${kind}` },
          ],
          kind,
        ),
      },
    }),
    learn: learnVersion,
  }),
  begin: (key: number, kind: number): Step => ({
    operation: 'CreateMultipartUpload',
    ask: () => ({
      method: 'POST',
      key: at(KEYS, key),
      query: { uploads: '' },
      headers: kind % 2 === 0 ? {} : { 'content-type': 'text/x-parts', 'x-amz-meta-parts': `${kind}` },
    }),
    learn: (memory, { key }, { body }) => {
      const id = /<UploadId>([^<]+)</u.exec(body.toString())?.[1];
      if (id !== undefined && key !== undefined) memory.uploads.push({ key, id, parts: new Map() });
    },
  }),
  part: (upload: number, number: number, size: number): Step => ({
    operation: 'UploadPart',
    ask: (memory) => {
      const one = uploadOf(memory, upload);
      if (one === undefined) return undefined;
      const query = { uploadId: one.id, partNumber: String(1 + (number % 4)) };
      return { method: 'PUT', key: one.key, query, body: content(memory, at(PART_SIZES, size)) };
    },
    learn: learnPart(({ headers }) => headers['etag']),
  }),
  partCopy: (upload: number, number: number, key: number, version: number, range: number): Step => ({
    operation: 'UploadPartCopy',
    ask: (memory) => {
      const one = uploadOf(memory, upload);
      if (one === undefined) return undefined;
      const headers = {
        'x-amz-copy-source': sourceOf(memory, BUCKET_NAME, key, version),
        ...(range % 3 === 0 ? { 'x-amz-copy-source-range': 'bytes=1-65536' } : {}),
      };
      return {
        method: 'PUT',
        key: one.key,
        query: { uploadId: one.id, partNumber: String(1 + (number % 4)) },
        headers,
      };
    },
    learn: learnPart(({ body }) => /<ETag>(?:&quot;|")?([0-9a-f-]+)/u.exec(body.toString())?.[1]),
  }),
  complete: (upload: number, without: number): Step => ({
    operation: 'CompleteMultipartUpload',
    ask: (memory) => {
      const one = uploadOf(memory, upload);
      if (one === undefined) return undefined;
      const rows = [...one.parts]
        .toSorted(([a], [b]) => a - b)
        .filter(([number]) => without % 8 !== number)
        .map(([number, etag]) => `<Part><PartNumber>${number}</PartNumber><ETag>${etag}</ETag></Part>`);
      return {
        method: 'POST',
        key: one.key,
        query: { uploadId: one.id },
        body: document('CompleteMultipartUpload', rows.join('')),
      };
    },
    learn: learnVersion,
  }),
  abort: (upload: number): Step => ({
    operation: 'AbortMultipartUpload',
    ask: (memory) => {
      const one = uploadOf(memory, upload);
      return one && { method: 'DELETE', key: one.key, query: { uploadId: one.id } };
    },
  }),
  listParts: (upload: number): Step => ({
    operation: 'ListParts',
    ask: (memory) => {
      const one = uploadOf(memory, upload);
      return one && { method: 'GET', key: one.key, query: { uploadId: one.id } };
    },
  }),
  listUploads: (): Step => ({
    operation: 'ListMultipartUploads',
    ask: () => ({ method: 'GET', query: { uploads: '' } }),
  }),
  list: (kind: number, narrowed: number): Step => ({
    operation: 'ListObjectsV2',
    isList: true,
    ask: () => ({ method: 'GET', query: { ...(kind % 2 === 0 ? { 'list-type': '2' } : {}), ...narrow(narrowed) } }),
  }),
  listVersions: (narrowed: number): Step => ({
    operation: 'ListObjectVersions',
    isList: true,
    ask: () => ({ method: 'GET', query: { versions: '', ...narrow(narrowed) } }),
  }),
  tag: (key: number, version: number, kind: number): Step => ({
    operation: 'PutObjectTagging',
    ask: (memory) => {
      const { query, ...rest } = named(memory, key, version);
      return { method: 'PUT', ...rest, query: { tagging: '', ...query }, body: tagging({ kind: String(kind) }) };
    },
  }),
  tags: (key: number, version: number, kind: number): Step => ({
    operation: 'GetObjectTagging',
    ask: (memory) => {
      const { query, ...rest } = named(memory, key, version);
      return { method: kind % 4 === 0 ? 'DELETE' : 'GET', ...rest, query: { tagging: '', ...query } };
    },
  }),
  versioning: (kind: number): Step => ({
    operation: 'PutBucketVersioning',
    ask: () => (kind % 3 === 0 ? SUSPENDED : VERSIONED),
  }),
};

function learnPart(etagOf: (answer: Answer) => string | undefined): NonNullable<Step['learn']> {
  return (memory, { query }, answer) => {
    const etag = etagOf(answer);
    const one = memory.uploads.find(({ id }) => id === query?.['uploadId']);
    if (answer.status === 200 && etag !== undefined) one?.parts.set(Number(query?.['partNumber']), etag);
  };
}

const narrow = (kind: number): Record<string, string> =>
  at<Record<string, string>>(
    [{}, {}, { delimiter: '/' }, { prefix: 'b/' }, { 'max-keys': '1' }, { delimiter: '/', 'max-keys': '2' }],
    kind,
  );

const choice = fc.nat({ max: 23 });
const of = (name: keyof typeof STEPS): fc.Arbitrary<Drawn> =>
  fc.tuple(fc.constant(name), ...Array.from({ length: STEPS[name].length }, () => choice));

/** Writes more often than what looks at them: their answers are what the others are about. */
export const drawnStep: fc.Arbitrary<Drawn> = fc.oneof(
  { weight: 6, arbitrary: of('put') },
  { weight: 5, arbitrary: of('get') },
  { weight: 2, arbitrary: of('head') },
  { weight: 3, arbitrary: of('remove') },
  { weight: 2, arbitrary: of('removeMany') },
  { weight: 4, arbitrary: of('copy') },
  { weight: 3, arbitrary: of('begin') },
  { weight: 6, arbitrary: of('part') },
  { weight: 3, arbitrary: of('partCopy') },
  { weight: 4, arbitrary: of('complete') },
  { weight: 1, arbitrary: of('abort') },
  { weight: 2, arbitrary: of('listParts') },
  { weight: 1, arbitrary: of('listUploads') },
  { weight: 2, arbitrary: of('list') },
  { weight: 2, arbitrary: of('listVersions') },
  { weight: 1, arbitrary: of('tag') },
  { weight: 1, arbitrary: of('tags') },
  { weight: 2, arbitrary: of('versioning') },
);

export const stepOf = ([name, ...choices]: Drawn): Step => {
  const make: (...choices: number[]) => Step = STEPS[name];
  return make(...choices);
};
