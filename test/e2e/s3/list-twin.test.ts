/**
 * Lists of a sealed bucket against those of a plain bucket with the same keys at the same store: any prefix, delimiter, marker and size of
 * page, while uploads are open whose hidden objects lie among the keys. What all pages together say is compared, since hidden rows make
 * pages shorter.
 */
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  UploadPartCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mapBounded } from '../../../src/s3/sealing/bounded-map.ts';
import { sealedOnRadosgw } from '../../support/s3/in-front-of.ts';
import { BUCKET, type SealedSetup } from '../../support/s3/sealed.ts';

const sealed = sealedOnRadosgw(prepare);
const TWIN = 'twin';

/** Around the hidden names, in their middle, and what is awkward in XML, URLs and orders of bytes. */
const KEYS = [
  '!',
  '.a',
  '.s',
  '.sealgate',
  '.sealgate-/x',
  '.sealgate0',
  '.sealgatf/x',
  '.seal/gate',
  '.ssh/config',
  'a',
  'a b+c%d&e<f>"g',
  'a%20b',
  'a/',
  'a//b',
  'a/b/c',
  'a/b/d',
  'a/b::c',
  'b::c::d',
  'b::c/e',
  'line\nend\r',
  'one\u0001two',
  'uploads/x',
  'ä/ö/ü',
  'äö',
  '\u{ffff}x',
  '\u{1f4be}/save',
  '\u{1f4be}\u{1f4be}',
  '~',
] as const;

const PREFIXES = [
  '',
  '',
  '.',
  '.s',
  '.seal',
  '.sealgate',
  '.sealgate/',
  '/',
  'a',
  'a/',
  'a/b',
  'b::',
  'ä',
  '\u{1f4be}',
];
const DELIMITERS = ['/', '/', '.', 's', 'e', 'gate', '::', 'ö', '\u{1f4be}', ' ', '%', '/b', 'e/', 'nothing'];

type Side = { readonly client: S3Client; readonly Bucket: string };
const sides = ({ direct, clients }: SealedSetup): readonly [Side, Side] => [
  { client: direct, Bucket: TWIN },
  { client: clients[0], Bucket: BUCKET },
];

const decoded = (text = ''): string => decodeURIComponent(text.replaceAll('+', '%20'));

/** Ceph RGW 16 leaves the markers as they are, where it encodes names. */
const marked = (Bucket: string, marker = ''): string => (Bucket === TWIN ? marker : decoded(marker));

async function prepare(setup: SealedSetup): Promise<void> {
  await setup.direct.send(new CreateBucketCommand({ Bucket: TWIN }));
  for (const { client, Bucket } of sides(setup)) {
    await client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
    await mapBounded([...KEYS], 8, async (Key) => {
      await client.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
      // Some have more versions than one, and some are gone.
      if (Key.length % 3 === 0) await client.send(new PutObjectCommand({ Bucket, Key, Body: `${Key} again` }));
      if (Key.length % 5 === 4) await client.send(new DeleteObjectCommand({ Bucket, Key }));
      const upload = await client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
      const part = { Bucket, Key, UploadId: upload.UploadId, PartNumber: 1, Body: 'held' };
      if (Key.length % 4 === 1) await client.send(new UploadPartCommand(part));
    });
  }
}

type Asked = {
  readonly Prefix: string;
  readonly Delimiter: string | undefined;
  readonly MaxKeys: number;
  readonly from: string | undefined;
};
const ASKED: fc.Arbitrary<Asked> = fc.record({
  Prefix: fc.constantFrom(...PREFIXES),
  Delimiter: fc.constantFrom(undefined, ...DELIMITERS),
  MaxKeys: fc.constantFrom(1, 2, 3, 7, 1000),
  from: fc.option(fc.constantFrom(...KEYS, '.sealgate/', '.sealgate/uploads/', '.t', 'a/b/'), { nil: undefined }),
});

/** A page's names, with what rows say of themselves; and where the next begins, where there is one. */
type Page<Marker> = { readonly names: readonly string[]; readonly next: Marker | undefined };

async function all<Marker>(
  from: Marker | undefined,
  fetch: (marker: Marker | undefined) => Promise<Page<Marker>>,
): Promise<readonly string[]> {
  const names: string[] = [];
  let marker = from;
  for (let pages = 0; pages < 500; pages += 1) {
    const page = await fetch(marker);
    names.push(...page.names);
    if (page.next === undefined) return names.sort();
    marker = page.next;
  }
  throw new Error('it does not end');
}

const groups = (prefixes: readonly { readonly Prefix?: string | undefined }[] = []): string[] =>
  prefixes.map(({ Prefix }) => `group ${decoded(Prefix)}`);

async function same(list: (side: Side, asked: Asked) => Promise<readonly string[]>, runs: number): Promise<void> {
  const property = fc.asyncProperty(ASKED, async (asked) => {
    const [direct, gateway] = await Promise.all(sides(sealed.setup).map((side) => list(side, asked)));
    expect(gateway).toEqual(direct);
    expect(new Set(gateway).size).toBe(gateway?.length);
  });
  await fc.assert(property, { numRuns: runs });
}

test('objects, by version 1 with its markers', async () => {
  await same(
    ({ client, Bucket }, { Prefix, Delimiter, MaxKeys, from }) =>
      all(from, async (Marker) => {
        const query = { Bucket, Prefix, Delimiter, MaxKeys, Marker, EncodingType: 'url' } as const;
        const page = await client.send(new ListObjectsCommand(query));
        const rows = page.Contents ?? [];
        // As clients do: what is named, else the last row.
        const next = page.NextMarker ?? rows.at(-1)?.Key;
        return {
          names: [...rows.map(({ Key, Size }) => `key ${decoded(Key)} ${Size}`), ...groups(page.CommonPrefixes)],
          next:
            page.IsTruncated !== true
              ? undefined
              : page.NextMarker === undefined
                ? decoded(next)
                : marked(Bucket, next),
        };
      }),
    60,
  );
});

test('objects, by version 2 with its tokens, start-after beside them', async () => {
  await same(
    ({ client, Bucket }, { Prefix, Delimiter, MaxKeys, from: StartAfter }) =>
      all<string>(undefined, async (ContinuationToken) => {
        const query = {
          Bucket,
          Prefix,
          Delimiter,
          MaxKeys,
          StartAfter,
          ContinuationToken,
          EncodingType: 'url',
        } as const;
        const page = await client.send(new ListObjectsV2Command(query));
        const rows = page.Contents ?? [];
        expect(page.KeyCount).toBe(rows.length + (page.CommonPrefixes ?? []).length);
        return {
          names: [...rows.map(({ Key, Size }) => `key ${decoded(Key)} ${Size}`), ...groups(page.CommonPrefixes)],
          next: page.IsTruncated === true ? page.NextContinuationToken : undefined,
        };
      }),
    60,
  );
});

test('versions and delete markers, by markers of both kinds', async () => {
  type Marker = { readonly KeyMarker?: string | undefined; readonly VersionIdMarker?: string | undefined };
  await same(({ client, Bucket }, { Prefix, Delimiter, MaxKeys, from }) => {
    return all<Marker>({ KeyMarker: from }, async (marker) => {
      const query = { Bucket, Prefix, Delimiter, MaxKeys, ...marker, EncodingType: 'url' } as const;
      const page = await client.send(new ListObjectVersionsCommand(query));
      // Ceph RGW 16 begins at the key, S3 behind it.
      const isBehind = ({ Key }: { readonly Key?: string | undefined }): boolean =>
        Bucket !== TWIN || decoded(Key) !== from;
      const rows = [
        ...(page.Versions ?? [])
          .filter(isBehind)
          .map(({ Key, Size, IsLatest }) => `${decoded(Key)} ${Size} ${IsLatest}`),
        ...(page.DeleteMarkers ?? []).filter(isBehind).map(({ Key, IsLatest }) => `${decoded(Key)} gone ${IsLatest}`),
      ];
      return {
        names: [...rows, ...groups(page.CommonPrefixes)],
        next:
          page.IsTruncated === true
            ? { KeyMarker: marked(Bucket, page.NextKeyMarker), VersionIdMarker: page.NextVersionIdMarker }
            : undefined,
      };
    });
  }, 120);
});

test('open uploads, by markers of both kinds', async () => {
  type Marker = { readonly KeyMarker?: string | undefined; readonly UploadIdMarker?: string | undefined };
  await same(
    ({ client, Bucket }, { Prefix, Delimiter: delimiter, MaxKeys: MaxUploads, from }) =>
      all<Marker>({ KeyMarker: from }, async (marker) => {
        // Ceph RGW 16 finds a delimiter in the upload's id as well, which is another one on each side.
        const Delimiter = /^[\w.]*$/u.test(delimiter ?? '') ? undefined : delimiter;
        const query = { Bucket, Prefix, Delimiter, MaxUploads, ...marker, EncodingType: 'url' } as const;
        const page = await client.send(new ListMultipartUploadsCommand(query));
        return {
          names: [...(page.Uploads ?? []).map(({ Key }) => `upload ${decoded(Key)}`), ...groups(page.CommonPrefixes)],
          next:
            page.IsTruncated === true
              ? { KeyMarker: marked(Bucket, page.NextKeyMarker), UploadIdMarker: page.NextUploadIdMarker }
              : undefined,
        };
      }),
    60,
  );
});
