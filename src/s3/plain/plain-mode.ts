/**
 * Objects that lie plain under a sealing rule, since they are older than the rule: read as they are where the rule says so (`plainObjects`),
 * until the end it names. What is written is sealed in any case.
 *
 * Threat: in this mode whoever can write to the store can put an object of his own in the place of a sealed one (docs/SECURITY.md). Outside
 * of it an object without its envelope is never served.
 */
import { ENVELOPE_METADATA_NAME } from '../../envelope/object/object-envelope.ts';
import { looksSealed } from '../../envelope/object/part-header.ts';
import { S3Error } from '../errors.ts';
import type { GatewayContext, S3Headers, S3Request } from '../operation.ts';
import type { S3Rule } from '../rules.ts';
import { keyUse, placeContext, sealRule } from '../sealing/data-key.ts';
import { invalidObject } from '../sealing/sealed-errors.ts';
import { asKeyAnswers } from '../sse/chosen-key.ts';
import { keyToReadWith } from '../sse/given-key.ts';

/** Whether objects of a key with this rule are read though they are not sealed. */
export function readsPlain(rule: S3Rule | undefined, { now }: Pick<GatewayContext, 'now'>): boolean {
  return rule?.type === 'seal' && rule.readsPlainUntil !== undefined && now() < rule.readsPlainUntil;
}

/**
 * True: it lies plain, and is to be read so. False: it is to be opened, by which what is not sealed is refused. `stored`: headers of the
 * store's answer. Throws ERR_S3_PLAIN_OBJECT where the time for it is over.
 */
export function isStillPlain({ rule }: S3Request, gateway: GatewayContext, stored: S3Headers): boolean {
  if (rule?.type !== 'seal' || rule.readsPlainUntil === undefined) return false;
  if (stored[ENVELOPE_METADATA_NAME] !== undefined) return false;
  if (!readsPlain(rule, gateway)) throw new S3Error('ERR_S3_PLAIN_OBJECT');
  return true;
}

/**
 * Who may open sealed objects of the key may read its plain one, and that is on record: whether it was sealed already changes neither.
 * Throws ERR_S3_ACCESS_DENIED, what the state of the rule's key says, and ERR_S3_CUSTOMER_KEY_NOT_APPLICABLE where a key is given.
 */
export async function authorizePlainRead(request: S3Request, gateway: GatewayContext): Promise<void> {
  if (keyToReadWith(request, gateway) !== undefined) throw new S3Error('ERR_S3_CUSTOMER_KEY_NOT_APPLICABLE');
  const rule = sealRule(request);
  const context = placeContext(request, rule);
  await asKeyAnswers(() => gateway.dataKeys.readUnsealed({ keyId: rule.keyId, context }, keyUse(request, request)));
}

/** How much of an object's beginning tells that it is sealed. */
export const BEGINNING_BYTES = 16;

/** A sealed body whose envelope was lost or taken: ciphertext is not what its reader asked for. Throws ERR_S3_SEALED_OBJECT_INVALID. */
export function refuseSealedBody(beginning: Uint8Array): void {
  if (looksSealed(beginning)) throw invalidObject();
}
