/**
 * Checks of section `s3`: do the object stores answer, are the buckets of the rules there, may the gateway use them? A store that takes
 * connections and says nothing does not answer: each question has a time of its own, much shorter than that of an object.
 */
import { randomBytes } from 'node:crypto';
import type { S3Config } from '../../config/config.ts';
import { SealgateError } from '../../errors.ts';
import { probeCapabilities } from '../../s3/check.ts';
import { probeServices } from '../../s3/check-services.ts';
import { STORE_QUESTION_MS } from '../../s3/limits.ts';
import type { ObjectStore, UpstreamClient } from '../../s3/upstream/client.ts';
import { sweepProbes, type SweptPlace } from '../../s3/sweep-probes.ts';
import { timedQuestion, timedQuestions } from '../../s3/upstream/timed-questions.ts';
import type { CheckFinding } from './report.ts';

/** A store as the config names it: what is said of it, and where its entry stands. */
type Named = {
  readonly store: ObjectStore;
  readonly endpoint: string;
  readonly about: string;
  readonly entry: string;
  readonly limitMs: number;
};

/** `limitMs`: how long a store has for each request. */
export async function checkS3(
  s3: S3Config,
  upstream: UpstreamClient,
  limitMs = STORE_QUESTION_MS,
): Promise<readonly CheckFinding[]> {
  const exact = [...new Set(s3.buckets.map(({ bucket }) => bucket).filter((bucket) => !bucket.endsWith('*')))];
  const findings: CheckFinding[] = [];
  for (const named of namedStores(s3, upstream, limitMs)) {
    const buckets = exact.filter((bucket) => upstream.storeOf(bucket) === named.store);
    findings.push(...(await checkStore(s3, upstream, named, buckets)));
  }
  const patterns = s3.buckets.filter(({ bucket }) => bucket.endsWith('*')).length;
  if (patterns > 0)
    findings.push({
      type: 'note',
      about: 's3.buckets',
      message: `${patterns} rule(s) name buckets by pattern; those buckets are not looked up`,
    });
  return findings;
}

function namedStores(s3: S3Config, upstream: UpstreamClient, limitMs: number): readonly Named[] {
  const { stores } = upstream;
  return [s3.upstream, ...s3.otherUpstreams].flatMap(({ endpoint }, index) => {
    const store = stores[index];
    const entry = index === 0 ? 's3.upstream' : `s3.otherUpstreams[${index - 1}]`;
    return store === undefined ? [] : [{ store, endpoint, entry, about: `s3 upstream ${endpoint}`, limitMs }];
  });
}

async function checkStore(
  s3: S3Config,
  upstream: UpstreamClient,
  named: Named,
  buckets: readonly string[],
): Promise<readonly CheckFinding[]> {
  const { about, endpoint, entry } = named;
  const findings: CheckFinding[] = [];
  try {
    for (const bucket of buckets) findings.push(await checkBucket(bucket, named));
    const sealed = s3.buckets.find(({ bucket, outcome }) => outcome.type === 'seal' && buckets.includes(bucket));
    const there = findings.some(({ type, about: place }) => type === 'ok' && place === `bucket ${sealed?.bucket}`);
    if (sealed !== undefined && there) findings.push(...(await probe(sealed.bucket, upstream, named)));
    // Without any bucket to ask about, listing them tells at least whether somebody answers.
    if (buckets.length === 0) findings.push(await checkAnswers(named));
  } catch (error) {
    const message = error instanceof SealgateError ? `${String(error.code)} ${error.message}` : 'no answer';
    const noCredentials = error instanceof SealgateError && error.code === 'ERR_S3_UPSTREAM_CREDENTIALS';
    const fix = noCredentials
      ? `name them in \`${entry}.credentials\`, or give AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile`
      : `try \`aws s3 ls --endpoint-url ${endpoint}\` from this machine`;
    findings.push({ type: 'unreachable', about, message, fix });
  }
  return findings;
}

async function checkBucket(bucket: string, { store, entry, limitMs }: Named): Promise<CheckFinding> {
  const about = `bucket ${bucket}`;
  const { status, body } = await store.send(timedQuestion({ method: 'HEAD', bucket }, limitMs));
  await body.release();
  if (status < 300) return { type: 'ok', about, message: 'is there' };
  if (status === 404)
    return {
      type: 'missing',
      about,
      message: 'does not exist in the object store',
      fix: `create it through Sealgate or at the store: aws s3 mb s3://${bucket}`,
    };
  if (status === 403)
    return {
      type: 'missing',
      about,
      message: 'the gateway may not use it',
      fix: `grant the identity of \`${entry}.credentials\` rights on the bucket`,
    };
  if (status === 301 || status === 307)
    return {
      type: 'missing',
      about,
      message: 'lies in another region',
      fix: `set \`${entry}.region\` and \`endpoint\` to its region`,
    };
  return { type: 'missing', about, message: `the object store answered with status ${status}` };
}

const NO_ANSWER: ReadonlySet<unknown> = new Set(['ERR_S3_UPSTREAM_TIMEOUT', 'ERR_S3_UPSTREAM_UNREACHABLE']);

/** What the store can do, tried on small hidden objects in a bucket with a sealing rule. */
async function probe(
  bucket: string,
  upstream: UpstreamClient,
  { store, about, entry, limitMs }: Named,
): Promise<readonly CheckFinding[]> {
  try {
    const timed = timedQuestions(upstream, limitMs);
    const used = await probeCapabilities(timed, bucket, randomBytes);
    const { settings, ...more } = await probeServices(timed, bucket, randomBytes);
    const [able, lacks] = sides({ ...used, ...more });
    const [known, unknown] = sides(settings);
    const tried = `tried in bucket ${bucket}: conditions may hold otherwise where versions are kept otherwise`;
    const { trailingChecksums, unsignedPayload } = store.capabilities;
    return [
      {
        type: lacks.length === 0 ? 'ok' : 'note',
        about,
        message: `${listed('can do', able, 'and cannot', lacks)} (${tried})`,
      },
      { type: 'ok', about, message: listed('keeps these settings of buckets:', known, 'and not', unknown) },
      {
        type: 'ok',
        about,
        message: `is taken to know (${entry}.capabilities): trailingChecksums ${trailingChecksums}, unsignedPayload ${unsignedPayload}`,
      },
      ...(await sweep({ upstream: timed, bucket }, about)),
    ];
  } catch (error) {
    if (!(error instanceof SealgateError) || NO_ANSWER.has(error.code)) throw error;
    const message = `what it can do was not found out: ${error.message} (${String(error.code)})`;
    return [{ type: 'missing', about, message, fix: 'the gateway needs to write, read and delete in its buckets' }];
  }
}

/** What is known of the store by then stays known where it cannot be swept. */
async function sweep(place: SweptPlace, about: string): Promise<readonly CheckFinding[]> {
  try {
    await sweepProbes(place, Date.now());
    return [];
  } catch (error) {
    const why = error instanceof SealgateError ? `${error.message} (${String(error.code)})` : 'no answer';
    return [{ type: 'note', about, message: `what earlier probes left behind could not be swept: ${why}` }];
  }
}

/** The names of what is there, and of what is not. */
function sides(found: Readonly<Record<string, unknown>>): readonly [readonly string[], readonly string[]] {
  const names = Object.keys(found);
  return [names.filter((name) => found[name] !== false), names.filter((name) => found[name] === false)];
}

const listed = (can: string, able: readonly string[], cannot: string, lacks: readonly string[]): string =>
  `${can} ${able.join(', ') || 'nothing'}${lacks.length === 0 ? '' : `; ${cannot} ${lacks.join(', ')}`}`;

async function checkAnswers({ about, store, limitMs }: Named): Promise<CheckFinding> {
  const { status, body } = await store.send(timedQuestion({ method: 'GET' }, limitMs));
  await body.release();
  return status < 400
    ? { type: 'ok', about, message: 'answers' }
    : { type: 'note', about, message: `answers with status ${status} when asked for its buckets` };
}
