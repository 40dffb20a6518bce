/**
 * The default encryption of a bucket with a sealing rule. It is the rule's word and nobody else's: `GetBucketEncryption` says it, and what
 * `PutBucketEncryption` asks for is taken where it says the same. So Terraform and the AWS CLI find what they have put, and the gateway
 * keeps nothing.
 */
import { S3Error } from '../errors.ts';
import { childText, childrenOf, formatXml, parseXml, type XmlTree } from '../listing/xml-tree.ts';
import type { GatewayContext, S3Request } from '../operation.ts';
import type { S3Rule } from '../rules.ts';
import { upstreamError } from '../sealing/upstream-errors.ts';
import { asKeyAnswers } from './chosen-key.ts';

type SealRule = Extract<S3Rule, { type: 'seal' }>;

/** As the document has it; undefined: it does not say. */
type Configuration = {
  readonly algorithm: string | undefined;
  readonly keyId: string | undefined;
  readonly bucketKey: boolean;
  readonly blocked: 'SSE-C' | 'NONE' | undefined;
};

const ROOT = 'ServerSideEncryptionConfiguration';

/** The rule that seals every key of the bucket that no narrower one is about; undefined: none does, the bucket's default is the backend's. */
export function bucketSealRule({ bucket }: S3Request, { rules }: Pick<GatewayContext, 'rules'>): SealRule | undefined {
  const rule = rules.forBucket(bucket).find((entry) => entry.prefix === '')?.rule;
  return rule?.type === 'seal' ? rule : undefined;
}

/** Rules may be about buckets that are not there. Throws ERR_S3_NO_SUCH_BUCKET. */
export async function refuseMissingBucket({ bucket, signal }: S3Request, { upstream }: GatewayContext): Promise<void> {
  const response = await upstream.send({ method: 'HEAD', bucket, signal });
  if (response.status >= 300 && response.status !== 404) throw await upstreamError(response);
  await response.body.release();
  if (response.status === 404) throw new S3Error('ERR_S3_NO_SUCH_BUCKET');
}

/** What the rule says, as S3's document. */
export async function formatBucketEncryption(rule: SealRule, gateway: GatewayContext): Promise<Uint8Array> {
  const said = saidBy(rule);
  const keyArn = await asKeyAnswers(() => gateway.dataKeys.resolveKey(rule.keyId));
  return formatXml(ROOT, {
    Rule: {
      ApplyServerSideEncryptionByDefault: {
        SSEAlgorithm: said.algorithm,
        ...(said.algorithm === 'AES256' ? {} : { KMSMasterKeyID: keyArn }),
      },
      BucketKeyEnabled: said.bucketKey,
      BlockedEncryptionTypes: { EncryptionType: said.blocked },
    },
  });
}

/** Throws ERR_S3_MALFORMED_XML, ERR_S3_INVALID_ARGUMENT, and ERR_S3_BUCKET_ENCRYPTION where the document says other than the rule. */
export async function agreeWithRule(document: string, rule: SealRule, gateway: GatewayContext): Promise<void> {
  const asked = parseConfiguration(document);
  const said = saidBy(rule);
  const agrees =
    (asked.algorithm === undefined || (asked.algorithm === said.algorithm && asked.bucketKey === said.bucketKey)) &&
    (asked.blocked === undefined || asked.blocked === said.blocked) &&
    (asked.keyId === undefined || (await isKeyOf(rule, asked.keyId, gateway)));
  if (agrees) return;
  throw new S3Error('ERR_S3_BUCKET_ENCRYPTION', await wordsOf(rule, gateway));
}

function saidBy({ shownAs = 'aws:kms', customerKeys }: SealRule) {
  return {
    algorithm: shownAs === 'AES256' ? 'AES256' : 'aws:kms',
    bucketKey: shownAs === 'aws:kms bucket-key',
    blocked: customerKeys === 'block' ? 'SSE-C' : 'NONE',
  } as const;
}

async function wordsOf(rule: SealRule, gateway: GatewayContext): Promise<string> {
  const { algorithm, bucketKey, blocked } = saidBy(rule);
  const key = algorithm === 'AES256' ? '' : ` with the key ${await gateway.dataKeys.resolveKey(rule.keyId)}`;
  const bucketKeys = `bucket keys ${bucketKey ? 'enabled' : 'not enabled'}`;
  return `The encryption of this bucket is laid down by a rule of the gateway, which says: ${algorithm}${key}, ${bucketKeys}, blocked: ${blocked}. Ask for the same, or have the rule changed.`;
}

/** S3 does not look whether the key exists; one that does not is not the rule's. */
async function isKeyOf(rule: SealRule, keyId: string, { dataKeys }: GatewayContext): Promise<boolean> {
  if (keyId === rule.keyId) return true;
  try {
    const [asked, said] = [await dataKeys.resolveKey(keyId), await dataKeys.resolveKey(rule.keyId)];
    return asked === said;
  } catch {
    return false;
  }
}

function parseConfiguration(document: string): Configuration {
  const rules = childrenOf(parseXml(document, ROOT), 'Rule');
  const [rule] = rules;
  if (rule === undefined || rules.length > 1) throw new S3Error('ERR_S3_MALFORMED_XML');
  const [byDefault] = childrenOf(rule, 'ApplyServerSideEncryptionByDefault');
  const algorithm = algorithmOf(byDefault);
  const keyId = childText(byDefault, 'KMSMasterKeyID') ?? undefined;
  if (keyId !== undefined && algorithm === 'AES256')
    throw new S3Error(
      'ERR_S3_INVALID_ARGUMENT',
      'a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse',
      { details: { ArgumentName: 'ApplyServerSideEncryptionByDefault' } },
    );
  return { algorithm, keyId, bucketKey: bucketKeyOf(rule), blocked: blockedOf(rule) };
}

const ALGORITHMS = new Set(['AES256', 'aws:kms', 'aws:kms:dsse', 'aws:fsx', 'aws:backup']);

function algorithmOf(byDefault: XmlTree | undefined): string | undefined {
  if (byDefault === undefined) return undefined;
  const algorithm = childText(byDefault, 'SSEAlgorithm') ?? '';
  if (!ALGORITHMS.has(algorithm)) throw new S3Error('ERR_S3_MALFORMED_XML');
  return algorithm;
}

function bucketKeyOf(rule: XmlTree): boolean {
  const text = childText(rule, 'BucketKeyEnabled') ?? 'false';
  if (text !== 'true' && text !== 'false') throw new S3Error('ERR_S3_MALFORMED_XML');
  return text === 'true';
}

function blockedOf(rule: XmlTree): Configuration['blocked'] {
  const [types] = childrenOf(rule, 'BlockedEncryptionTypes');
  if (types === undefined) return undefined;
  const [type, more] = childrenOf(types, 'EncryptionType').map(({ text }) => text);
  if (more !== undefined || (type !== 'SSE-C' && type !== 'NONE')) throw new S3Error('ERR_S3_MALFORMED_XML');
  return type;
}
