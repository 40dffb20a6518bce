/** Which KMS key seals an object: the rule's, or one that the client names and the rule allows. */
import { S3Error, type S3ErrorCode } from '../errors.ts';
import type { GatewayContext } from '../operation.ts';
import type { S3Rule } from '../rules.ts';
import { codeOf } from '../sealing/error-code.ts';
import type { RequestedEncryption } from './requested-encryption.ts';

type SealRule = Extract<S3Rule, { type: 'seal' }>;

/**
 * As the client named it, where it did: what it may is the key's policy to say, which may ask for the alias. Names are compared by the
 * key they stand for. Throws ERR_S3_KEY_NOT_ALLOWED, ERR_S3_KEY_UNKNOWN, ERR_S3_KEY_UNAVAILABLE, ERR_S3_KEY_STATE.
 */
export async function chosenKeyId(
  rule: SealRule,
  requested: RequestedEncryption,
  gateway: Pick<GatewayContext, 'dataKeys'>,
): Promise<string> {
  const named = requested.type === 'aws:kms' ? requested.keyId : undefined;
  if (named === undefined) return rule.keyId;
  const allowed = [rule.keyId, ...(rule.allowedKeys ?? [])];
  if (allowed.includes(named)) return named;
  const arn = await asKeyAnswers(() => gateway.dataKeys.resolveKey(named));
  for (const keyId of allowed) if ((await arnOf(keyId, gateway)) === arn) return named;
  throw new S3Error('ERR_S3_KEY_NOT_ALLOWED');
}

/** Undefined where it cannot be used now: then it is not the one named, which can. */
async function arnOf(keyId: string, { dataKeys }: Pick<GatewayContext, 'dataKeys'>): Promise<string | undefined> {
  try {
    return await dataKeys.resolveKey(keyId);
  } catch (error) {
    if (KEY_ANSWERS[codeOf(error) ?? ''] === undefined) throw error;
    return undefined;
  }
}

/** Which answer a refusal of the key manager is. Anything else is an internal error: the log has its cause. */
const KEY_ANSWERS: Readonly<Record<string, S3ErrorCode>> = {
  ERR_KEYS_ACCESS_DENIED: 'ERR_S3_ACCESS_DENIED',
  ERR_KEYS_DISABLED: 'ERR_S3_KEY_UNAVAILABLE',
  ERR_KEYS_INVALID_STATE: 'ERR_S3_KEY_STATE',
  ERR_KEYS_PERIOD_OVER: 'ERR_S3_KEY_STATE',
  ERR_KEYS_NOT_FOUND: 'ERR_S3_KEY_UNKNOWN',
  ERR_KEYS_INVALID_ID: 'ERR_S3_KEY_UNKNOWN',
  ERR_KEYS_INVALID_ARN: 'ERR_S3_KEY_UNKNOWN',
  ERR_KEYS_KEY_USAGE: 'ERR_S3_KEY_STATE',
  ERR_KEYS_CIPHERTEXT_INVALID: 'ERR_S3_SEALED_OBJECT_INVALID',
  ERR_KEYS_REMOTE_UNAVAILABLE: 'ERR_S3_KEYS_UNREACHABLE',
  ERR_KEYS_REMOTE_REFUSED: 'ERR_S3_KEYS_UNREACHABLE',
  ERR_KEYS_REMOTE_PROTOCOL: 'ERR_S3_KEYS_UNREACHABLE',
  ERR_KEYS_AUDIT_UNAVAILABLE: 'ERR_S3_KEYS_UNREACHABLE',
  ERR_KEYS_STORE_UNAVAILABLE: 'ERR_S3_KEYS_UNREACHABLE',
  ERR_KEYS_STORE_WRITE: 'ERR_S3_KEYS_UNREACHABLE',
  ERR_KEYS_OWNER: 'ERR_S3_KEYS_UNREACHABLE',
  ERR_KEYS_CLOSED: 'ERR_S3_KEYS_UNREACHABLE',
};

/** S3 hands on what the key manager says of the key; it names keys and their states. */
const IN_ITS_WORDS: ReadonlySet<S3ErrorCode> = new Set([
  'ERR_S3_KEY_UNAVAILABLE',
  'ERR_S3_KEY_STATE',
  'ERR_S3_KEY_UNKNOWN',
]);

/** Asks the key manager; its refusals become S3's. */
export async function asKeyAnswers<T>(ask: () => T | Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    throw keyAnswer(error);
  }
}

/** What S3 says where the key manager threw this; what is none of its refusals stays as it is. */
export function keyAnswer(error: unknown): unknown {
  const answer = KEY_ANSWERS[codeOf(error) ?? ''];
  if (answer === undefined) return error;
  const message = error instanceof Error && IN_ITS_WORDS.has(answer) ? error.message : undefined;
  return new S3Error(answer, message, { cause: error });
}
