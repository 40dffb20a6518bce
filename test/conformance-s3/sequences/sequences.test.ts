/**
 * Sequences of requests drawn at random: objects and versions written, read, copied, put together of parts, listed and removed. A sealed bucket of
 * two gateways, asked in turns, answers each as the store itself does.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CLIENT } from '../../support/s3/edge.ts';
import { inFrontOf } from '../../support/s3/in-front-of.ts';
import { startSealed } from '../../support/s3/sealed.ts';
import { Naming, type AnswerTree } from '../answer-tree.ts';
import { differencesOf } from '../compare.ts';
import { CEPH_DIFFERENCES } from '../differences/ceph.ts';
import { explaining, NOTHING, refusal, type Difference, type Found } from '../differences/difference.ts';
import { sidesOf, type Answer, type Asked, type Side } from '../twins.ts';
import { BUCKET_NAME, drawnStep, newMemory, stepOf, type Drawn, type Memory } from './requests.ts';

/** What these requests meet besides what the pages of conformance name. */
const DIFFERENCES: readonly Difference[] = [
  ...CEPH_DIFFERENCES,
  {
    name: 'a copy of what is not there to itself',
    why: 'Refused for what is asked, before anything is looked up.',
    operations: /^CopyObject$/u,
    direct: /^(?:404|NoSuchKey)$/u,
    says: refusal(400, 'InvalidRequest'),
  },
  {
    name: 'If-None-Match: * in buckets with versions',
    why: 'Ceph RGW 16 does not obey it there: refused as NotImplemented, or for the object that is there.',
    operations: /^PutObject$/u,
    says: {
      status: /^(?:412|501)$/u,
      'header content-type': /^application\/xml$/u,
      '/Error/Code': /^(?:PreconditionFailed|NotImplemented)$/u,
    },
  },
  {
    name: 'an upload that is completed once more',
    why: 'Ceph RGW 16 does not say again which version it became.',
    operations: /^CompleteMultipartUpload$/u,
    where: /^header x-amz-version-id$/u,
    direct: NOTHING,
  },
  {
    name: 'an upload that is completed without some of its parts',
    why: 'S3 leaves them out, Ceph RGW 16 refuses.',
    operations: /^CompleteMultipartUpload$/u,
    where: /^status$/u,
    direct: /^400$/u,
    gateway: /^200$/u,
  },
  {
    name: 'versions that are none',
    why: 'S3 says NoSuchVersion of them, whatever is asked; Ceph RGW 16 NoSuchKey.',
    where: /^\/Error\/Code$/u,
    direct: /^NoSuchKey$/u,
    gateway: /^NoSuchVersion$/u,
  },
  {
    name: 'uploads that are no more',
    why: 'Ceph RGW 16 has InternalError for some of them.',
    operations: /^(?:CompleteMultipart|AbortMultipart|UploadPart|ListParts)/u,
    where: /^status$/u,
    direct: /^500$/u,
    gateway: /^404$/u,
  },
  {
    name: 'tags of copies',
    why: 'Ceph RGW 16 does not take them over with metadata replaced, nor from the request.',
    operations: /^(?:GetObject|HeadObject|GetObjectTagging)$/u,
    where: /^header x-amz-tagging-count$|^\/Tagging\/TagSet/u,
    direct: NOTHING,
  },
  {
    name: 'uploads of one key',
    why: 'By their ids, which are drawn.',
    operations: /^ListMultipartUploads$/u,
    where: /\/(?:UploadId|NextUploadIdMarker)$/u,
    direct: /^\(upload \d+\)$/u,
    gateway: /^\(upload \d+\)$/u,
  },
];

type Place = { readonly prefix: string; readonly fresh: () => Promise<Side> };

let direct: Place;
let gateway: Place;

inFrontOf(
  'radosgw',
  async (backend) => {
    const setup = await startSealed(backend, undefined, undefined, { bucket: 'sealed-*' });
    direct = { prefix: 'direct-', fresh: sidesOf({ url: backend.url, credentials: backend, prefix: 'direct-' }) };
    const replicas = setup.edges.map(({ url }) => sidesOf({ url, credentials: CLIENT, prefix: 'sealed-' }));
    gateway = { prefix: 'sealed-', fresh: () => inTurns(replicas) };
    return [setup];
  },
  true,
);

/** One bucket, asked of each in its turn. */
async function inTurns(replicas: readonly Side['fresh'][]): Promise<Side> {
  const sides: Side[] = [];
  for (const fresh of replicas) sides.push(await fresh());
  const [first] = sides;
  if (first === undefined) throw new Error('there is no gateway');
  let turn = 0;
  return { ...first, send: (asked) => (sides[(turn += 1) % sides.length] ?? first).send(asked) };
}

type Run = { readonly side: Side; readonly naming: Naming; readonly memory: Memory };

const begin = async ({ prefix, fresh }: Place): Promise<Run> => ({
  side: await fresh(),
  naming: new Naming(prefix),
  memory: newMemory(),
});

async function take({ side, naming, memory }: Run, drawn: Drawn): Promise<AnswerTree | undefined> {
  const step = stepOf(drawn);
  let asked = step.ask(memory);
  if (asked === undefined) return undefined;
  const pages: AnswerTree[] = [];
  for (;;) {
    const answer = await side.send(inBucket(asked, side.bucket));
    step.learn?.(memory, asked, answer);
    const tree = comparable(naming.treeOf(withoutCopied(answer)), answer);
    if (step.isList !== true) return tree;
    pages.push(tree);
    const behind = behindPage(answer);
    if (behind === undefined) return rowsOf(pages);
    asked = { ...asked, query: { ...asked.query, ...behind } };
  }
}

/** S3 always says which version was copied, Ceph RGW 16 only if it was asked for: no name of it on one side alone. */
function withoutCopied({
  headers: { 'x-amz-copy-source-version-id': _copied, ...headers },
  ...answer
}: Answer): Answer {
  return { ...answer, headers };
}

/** Pages may be shorter than was asked for, where names stand between that clients do not see: their rows count. */
function rowsOf(pages: readonly AnswerTree[]): AnswerTree {
  const rows = pages.flatMap((page) =>
    [...page].filter(([where]) => /\/(?:Contents|Version|DeleteMarker|CommonPrefixes)\b/u.test(where)),
  );
  const texts = rows.map(([where, value]) => [where.replace(/\[\d+\]/gu, ''), value] as const);
  return new Map([
    ['status', pages.map((page) => page.get('status')).find((status) => status !== '200') ?? '200'],
    ...[...Map.groupBy(texts, ([where]) => where)].map(
      ([where, all]) => [where, all.map(([, value]) => value).join('\n')] as const,
    ),
  ]);
}

/** What asks for the page behind this one. */
function behindPage({ body }: Answer): Record<string, string> | undefined {
  const text = body.toString();
  const of = (name: string): string | undefined => {
    const found = new RegExp(`<${name}>([^<]+)</`, 'u').exec(text)?.[1];
    return found?.replaceAll('&amp;', '&').replaceAll('&quot;', '"');
  };
  if (of('IsTruncated') !== 'true') return undefined;
  const markers = {
    'continuation-token': of('NextContinuationToken'),
    'key-marker': of('NextKeyMarker'),
    'version-id-marker': of('NextVersionIdMarker'),
    marker:
      text.includes('<KeyCount>') || text.includes('<NextKeyMarker>') ? undefined : (of('NextMarker') ?? lastKey(text)),
  };
  return Object.fromEntries(Object.entries(markers).filter((one): one is [string, string] => one[1] !== undefined));
}

const lastKey = (text: string): string | undefined => [...text.matchAll(/<Key>([^<]+)<\/Key>/gu)].at(-1)?.[1];

const inBucket = (asked: Asked, bucket: string): Asked => ({
  ...asked,
  ...(asked.headers && {
    headers: Object.fromEntries(Object.entries(asked.headers).map(([n, v]) => [n, v.replace(BUCKET_NAME, bucket)])),
  }),
});

/** Without ETags: of objects of equal bytes the store's are equal, and a sealed one's are not. */
const comparable = (tree: AnswerTree, { status }: Answer): AnswerTree =>
  new Map(
    [...tree].filter(
      ([where]) =>
        !/^header etag$|\/ETag$/u.test(where) &&
        !(status >= 400 && /^\/Error\/(?!Code)|^header content-length$/u.test(where)),
    ),
  );

const isStatus = ({ where }: Found): boolean => where === 'status';

test('the answers are those of the store, whatever comes before', { timeout: 600_000 }, async () => {
  const runs = Number(process.env['SEALGATE_FUZZ_RUNS'] ?? 30);
  const seed = Number(process.env['SEALGATE_FUZZ_SEED'] ?? 1);
  let [compared, wellAnswered] = [0, 0];
  await fc.assert(
    fc.asyncProperty(fc.array(drawnStep, { minLength: 1, maxLength: 40, size: 'max' }), async (steps) => {
      const [ours, theirs] = [await begin(gateway), await begin(direct)];
      for (const [index, drawn] of steps.entries()) {
        const [told, said] = [await take(theirs, drawn), await take(ours, drawn)];
        if (told === undefined || said === undefined) {
          expect([index, drawn, said]).toEqual([index, drawn, told]);
          continue;
        }
        const { operation } = stepOf(drawn);
        const found = differencesOf(
          { operation, what: '', run: () => Promise.reject(new Error('not run')) },
          told,
          said,
        );
        const unexplained = found.filter((one) => explaining(one, DIFFERENCES) === undefined);
        const isOtherAnswer = found.some(isStatus) && !unexplained.some(isStatus);
        expect({ index, drawn, unexplained: isOtherAnswer ? [] : unexplained }).toEqual({
          index,
          drawn,
          unexplained: [],
        });
        // One side did what the other did not, as the pages say: from here on they are about different things.
        if (isOtherAnswer) return;
        compared += 1;
        if (Number(told.get('status')) < 300) wellAnswered += 1;
      }
    }),
    { numRuns: runs, seed, interruptAfterTimeLimit: 500_000 },
  );
  expect(wellAnswered).toBeGreaterThan(compared / 2);
});
