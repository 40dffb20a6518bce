/**
 * What happens to a request: sealed, forwarded or refused. The one place where rules, operations and copy sources meet.
 *
 * Invariants 1 and 8: what could carry a protected value around the gateway and is not built is refused, never forwarded.
 */
import { mayGoAround } from './around.ts';
import { FORWARDED_BUCKET_OPERATIONS } from './bucket-operations.ts';
import { S3Error } from './errors.ts';
import { forwardUnderstood } from './subresources/forward-understood.ts';
import { refuseGrants } from './subresources/grants.ts';
import type { S3Headers, S3Operation } from './operation.ts';
import type { S3OperationName } from './operation-names.ts';
import { parseCopySources } from './request/copy-source.ts';
import type { Place } from './request/target.ts';
import { ruleForKey } from './rule-for-key.ts';
import { bucketIsRuled, type S3Rule, type S3Rules } from './rules.ts';
import type { UpstreamClient } from './upstream/client.ts';

export type Decision =
  | { readonly type: 'handle'; readonly operation: S3Operation; readonly rule: S3Rule | undefined }
  | { readonly type: 'forward'; readonly rule: S3Rule | undefined };

export type Decidable = Place & {
  readonly operation: S3OperationName;
  readonly headers: S3Headers;
  /** Policies limit the caller, so what it may differs from key to key. */
  readonly limited?: boolean;
};

export type OperationTable = Readonly<Partial<Record<S3OperationName, S3Operation>>>;

/** Where things lie: by which rules, and in which stores. */
export type Lying = { readonly rules: S3Rules; readonly upstream: Pick<UpstreamClient, 'storeOf'> };

/** The decision, or an S3Error: ERR_S3_ACCESS_DENIED, ERR_S3_NOT_IMPLEMENTED, ERR_S3_METHOD_NOT_ALLOWED. */
export function decide(request: Decidable, { rules, upstream }: Lying, table: OperationTable): Decision {
  // What a form does is decided as the PutObject that it stands for (`post/post-object.ts`); as it is, it goes nowhere.
  if (request.operation === 'PostObject') throw notBuilt(request.operation);
  // A store ignores parameters that it does not know: the rest may be what the caller is denied, which no policy can say of `Unknown`.
  if (request.operation === 'Unknown' && request.limited === true) throw notBuilt(request.operation);
  const sources = parseCopySources(request.headers, request.bucket);
  const crosses = sources.some(({ bucket }) => upstream.storeOf(bucket) !== upstream.storeOf(request.bucket));
  const source = checkCopySources(request, rules, { sources, crosses });
  if (request.bucket === '') return decideService(request, table);
  refuseAdministration(request.bucket, rules);
  if (source?.type === 'seal' && request.key !== '') return decideSealedSource(request, rules, table);
  if (request.key === '') return decideBucket(request, rules, table);
  return decideObject(request, rules, { table, crosses });
}

/** Whatever else a backend answers at its root (keys, users, quotas) it would answer to our identity, not to the caller. */
function decideService({ operation }: Decidable, table: OperationTable): Decision {
  if (operation !== 'ListBuckets') throw notBuilt(operation);
  const handler = table[operation];
  return handler === undefined
    ? { type: 'forward', rule: undefined }
    : { type: 'handle', operation: handler, rule: undefined };
}

/**
 * Under these first path segments Ceph RGW and MinIO administer themselves, with the same signatures; and Ceph RGW speaks Swift, which
 * knows the same buckets and no rule.
 */
const ADMINISTRATION: ReadonlySet<string> = new Set(['admin', 'minio', 'swift']);

function refuseAdministration(bucket: string, rules: S3Rules): void {
  if (!ADMINISTRATION.has(bucket) || rules.forBucket(bucket).some((entry) => entry.bucket === bucket)) return;
  throw new S3Error(
    'ERR_S3_ACCESS_DENIED',
    `Some stores administer themselves, or speak another protocol, under /${bucket}; if yours has a bucket of this name, write a rule for it.`,
  );
}

function decideBucket(request: Decidable, rules: S3Rules, table: OperationTable): Decision {
  const { bucket, operation } = request;
  if (!bucketIsRuled(rules, bucket)) return decidePlainBucket(request, table);
  const whole = rules.forBucket(bucket).find((entry) => entry.prefix === '')?.rule;
  if (whole?.type === 'refuse') throw new S3Error('ERR_S3_ACCESS_DENIED');
  const handler = table[operation];
  if (handler !== undefined) return { type: 'handle', operation: handler, rule: undefined };
  if (!FORWARDED_BUCKET_OPERATIONS.has(operation)) throw notBuilt(operation);
  if (!mayGoAround(rules, bucket, 'acl')) refuseGrants(request.headers);
  return { type: 'forward', rule: undefined };
}

/** What a bucket's own name and a method say, or what every store knows: there is nothing to ignore. */
const PLAIN_BUCKET_OPERATIONS: ReadonlySet<S3OperationName> = new Set<S3OperationName>([
  'CreateBucket',
  'DeleteBucket',
  'HeadBucket',
  'ListObjects',
  'ListObjectsV2',
]);

/** The keys that DeleteObjects names are decided one by one, which only its own operation does. */
function decidePlainBucket({ operation, limited }: Decidable, table: OperationTable): Decision {
  if (limited !== true || PLAIN_BUCKET_OPERATIONS.has(operation)) return { type: 'forward', rule: undefined };
  const handler = operation === 'DeleteObjects' ? table[operation] : forwardUnderstood(operation);
  if (handler === undefined) throw notBuilt(operation);
  return { type: 'handle', operation: handler, rule: undefined };
}

function decideObject(
  request: Decidable,
  rules: S3Rules,
  { table, crosses }: { readonly table: OperationTable; readonly crosses: boolean },
): Decision {
  const { bucket, operation } = request;
  const rule = ruleForKey(request, rules);
  if (rule?.type === 'refuse') throw new S3Error('ERR_S3_ACCESS_DENIED');
  // No store can read from another: such a copy goes through the gateway, plain or not.
  if (rule?.type !== 'seal' && !crosses) {
    // In a bucket where other keys are sealed, only what we understand is forwarded.
    if (operation === 'Unknown' && bucketIsRuled(rules, bucket)) throw notBuilt(operation);
    return { type: 'forward', rule };
  }
  const handler = table[operation];
  if (handler === undefined) throw notBuilt(operation);
  return { type: 'handle', operation: handler, rule };
}

/** Operations that read their source through the gateway: it decrypts there, for whom the source's rule and key allow it. */
const COPIES: ReadonlySet<S3OperationName> = new Set<S3OperationName>(['CopyObject', 'UploadPartCopy']);

type Sources = { readonly sources: readonly Place[]; readonly crosses: boolean };

/**
 * The rule of a copy's source. A source that a rule seals or refuses, or that lies in another store, is never handed to a forwarded request:
 * the store may have a bucket of that name too.
 */
function checkCopySources(request: Decidable, rules: S3Rules, { sources, crosses }: Sources): S3Rule | undefined {
  const found = sources.map((source) => sourceRule(source, rules));
  const [rule] = found;
  const isSealed = found.some((one) => one?.type === 'seal');
  const destination = rules.forKey(request.bucket, request.key);
  const bySelf = isSealed || destination?.type === 'seal' || crosses;
  if (sources.length > 0 && bySelf && !COPIES.has(request.operation)) throw notBuilt(request.operation);
  if (isSealed && found.some((one) => one !== rule)) {
    throw new S3Error(
      'ERR_S3_INVALID_ARGUMENT',
      'A + in x-amz-copy-source has two readings, about which two rules are: write %2B or %20.',
    );
  }
  return rule;
}

function sourceRule(source: Place, rules: S3Rules): S3Rule | undefined {
  refuseAdministration(source.bucket, rules);
  const rule = ruleForKey(source, rules);
  if (rule?.type === 'refuse') throw new S3Error('ERR_S3_ACCESS_DENIED');
  return rule;
}

/** A copy that decrypts: into another sealed key, or to where a rule says that plaintext may lie. That no rule forbids it is not enough. */
function decideSealedSource(request: Decidable, rules: S3Rules, table: OperationTable): Decision {
  const { bucket, operation } = request;
  const rule = ruleForKey(request, rules);
  if (rule?.type === 'refuse') throw new S3Error('ERR_S3_ACCESS_DENIED');
  if (rule === undefined) {
    throw new S3Error(
      'ERR_S3_ACCESS_DENIED',
      `The source is sealed, and no rule says that ${bucket} may hold its plaintext; if it may, write a rule for it (\`pass: true\`).`,
    );
  }
  const handler = table[operation];
  if (handler === undefined) throw notBuilt(operation);
  return { type: 'handle', operation: handler, rule };
}

const notBuilt = (operation: S3OperationName): S3Error =>
  new S3Error(
    'ERR_S3_NOT_IMPLEMENTED',
    operation === 'Unknown' ? undefined : `${operation} is not supported where a rule seals or refuses keys.`,
  );
