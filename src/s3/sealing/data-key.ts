/**
 * The DEK of an object, asked of the key manager on behalf of the caller. Its encryption context is the object's ARN (so policies
 * written for AWS match), the object id, and what the client gave; never a rule's name: rules are renamed, data stays.
 */
import type { Dek } from '../../crypto/key-types.ts';
import type { EncryptionContext } from '../../envelope/encryption-context.ts';
import { customerCheck, customerDek, isCustomerDek } from '../../envelope/object/customer-key.ts';
import type { ObjectEnvelope } from '../../envelope/object/object-envelope.ts';
import type { DataKey, KeyUse } from '../../keys/uses/data-keys.ts';
import { S3Error, type S3ErrorCode } from '../errors.ts';
import type { GatewayContext, S3Request } from '../operation.ts';
import type { S3Rule } from '../rules.ts';
import { asKeyAnswers, chosenKeyId } from '../sse/chosen-key.ts';
import type { GivenKey } from '../sse/customer-key.ts';
import { refuseBlocked, refuseInsecure } from '../sse/given-key.ts';
import { contextBeyond } from '../sse/kms-context.ts';
import { requestedEncryption, type RequestedEncryption } from '../sse/requested-encryption.ts';
import { shownEncryption, shownHint, type ShownEncryption } from '../sse/shown-encryption.ts';

export type SealRule = Extract<S3Rule, { type: 'seal' }>;

/** What envelope and upload token keep of how an object is encrypted. */
export type KeptEncryption = Pick<ObjectEnvelope, 'context' | 'keyHint' | 'customerCheck'>;

/** A DEK in use for one object. */
export type ObjectKey = {
  readonly dek: Dek;
  readonly keyArn: string;
  readonly wrapped: Uint8Array;
  /** What `wrapped` holds: the DEK; or the gateway's half of it, where a customer has the other. The envelope is proven under it. */
  readonly unwrapped: Dek;
  /** 16 random bytes: what the data is bound to. */
  readonly objectId: Uint8Array;
  readonly kept: KeptEncryption;
  readonly shown: ShownEncryption;
};

/** Where an object lies, and the key that the client gave to read it. */
export type ObjectSource = {
  readonly bucket: string;
  readonly key: string;
  readonly given: GivenKey | undefined;
};

/** A wrapped key as it lies beside its object. */
export type SealedKey = KeptEncryption & { readonly wrapped: Uint8Array; readonly objectId: Uint8Array };

const OBJECT_ID_BYTES = 16;

/** The sealing rule of the request's key; operations are only ever asked about sealed keys. */
export function sealRule(request: S3Request): SealRule {
  if (request.rule?.type === 'seal') return request.rule;
  throw new S3Error('ERR_S3_INTERNAL', 'A sealed operation was asked about a key without a sealing rule.');
}

/** A fresh object id and DEK, wrapped under the key that the rule says, or that the client chose of those it allows. */
export async function newObjectKey(request: S3Request, gateway: GatewayContext): Promise<ObjectKey> {
  const objectId = gateway.random(OBJECT_ID_BYTES);
  const { requested, keyId, place, kept } = await wantedWrap(request, gateway, objectId);
  const context = { ...kept.context, ...place };
  const made = await asKeyAnswers(() => gateway.dataKeys.generateDataKey({ keyId, context }, keyUse(request, request)));
  const sealed = { ...kept, wrapped: made.wrapped, objectId };
  if (requested.type !== 'customer') return objectKeyOf(made, sealed);
  const dek = customerDek(made.dek, requested.given.key, objectId);
  return objectKeyOf(made, { ...sealed, customerCheck: customerCheck(dek, objectId) }, { dek, given: requested.given });
}

/** Under which key the DEK of the request's object is to be wrapped, and bound to what. */
type WantedWrap = {
  readonly requested: RequestedEncryption;
  readonly keyId: string;
  readonly place: EncryptionContext;
  readonly kept: KeptEncryption;
};

async function wantedWrap(request: S3Request, gateway: GatewayContext, objectId: Uint8Array): Promise<WantedWrap> {
  const rule = sealRule(request);
  const requested = requestedFor(request, gateway, rule);
  const place = objectContext(request, rule, objectId);
  const context =
    requested.type === 'aws:kms' && requested.context !== undefined
      ? contextBeyond(place, requested.context)
      : undefined;
  const keyId = await chosenKeyId(rule, requested, gateway);
  return { requested, keyId, place, kept: { context, keyHint: shownHint(requested, rule.shownAs) } };
}

/**
 * The DEK of a copy that keeps its ciphertext: the source's, wrapped under the key and for the place of the destination. Undefined where a
 * customer has the key of either: then the data cannot keep it. Throws ERR_S3_ACCESS_DENIED where the caller lacks `kms:ReEncryptFrom`
 * or `kms:ReEncryptTo`.
 */
export async function rewrapObjectKey(
  request: S3Request,
  gateway: GatewayContext,
  source: S3Request,
  key: ObjectKey,
): Promise<ObjectKey | undefined> {
  const { objectId, unwrapped: dek, wrapped } = key;
  const { requested, keyId, place, kept } = await wantedWrap(request, gateway, objectId);
  if (requested.type === 'customer' || key.kept.customerCheck !== undefined) return undefined;
  const moving = {
    wrapped,
    sourceContext: { ...key.kept.context, ...objectContext(source, sealRule(source), objectId) },
    destinationKeyId: keyId,
    destinationContext: { ...kept.context, ...place },
  };
  const moved = await asKeyAnswers(() => gateway.dataKeys.reEncrypt(moving, keyUse(request, request)));
  return objectKeyOf({ dek, keyArn: moved.keyArn }, { ...kept, wrapped: moved.wrapped, objectId });
}

function requestedFor(request: S3Request, gateway: GatewayContext, rule: SealRule): RequestedEncryption {
  refuseInsecure(request, gateway);
  const requested = requestedEncryption(request.headers);
  if (requested.type === 'customer') refuseBlocked(rule);
  return requested;
}

/**
 * Unwraps what lies beside an existing object. The caller's right to it is checked and recorded on every call, cached or not. With a
 * customer's key it is half of the DEK: `wholeObjectKey` makes the DEK of it.
 */
export async function unwrapObjectKey(
  request: S3Request,
  gateway: GatewayContext,
  { wrapped, objectId, context }: SealedKey,
  source: Pick<ObjectSource, 'bucket' | 'key'>,
): Promise<DataKey> {
  const rule = gateway.rules.forKey(source.bucket, source.key);
  if (rule?.type !== 'seal') throw new S3Error('ERR_S3_INTERNAL', 'A key without a sealing rule was to be opened.');
  const whole = { ...context, ...objectContext(source, rule, objectId) };
  return asKeyAnswers(() => gateway.dataKeys.decrypt({ wrapped, context: whole }, keyUse(request, source)));
}

/** The object's DEK. Throws `wrong` where the customer's key is not the object's. Precondition: `checkGiven`. */
export function wholeObjectKey(
  unwrapped: DataKey,
  sealed: SealedKey,
  given: GivenKey | undefined,
  wrong: S3ErrorCode = 'ERR_S3_CUSTOMER_KEY_WRONG',
): ObjectKey {
  const { customerCheck: check, objectId } = sealed;
  if (check === undefined || given === undefined) return objectKeyOf(unwrapped, sealed);
  const dek = customerDek(unwrapped.dek, given.key, objectId);
  if (!isCustomerDek(dek, objectId, check)) throw new S3Error(wrong);
  return objectKeyOf(unwrapped, sealed, { dek, given });
}

/** A customer's key is given exactly where the object has one. Throws what is told it for either case. */
export function checkGiven(
  { customerCheck: check }: Pick<KeptEncryption, 'customerCheck'>,
  given: GivenKey | undefined,
  codes: { readonly needed: S3ErrorCode; readonly notApplicable: S3ErrorCode },
): void {
  if (check !== undefined && given === undefined) throw new S3Error(codes.needed);
  if (check === undefined && given !== undefined) throw new S3Error(codes.notApplicable);
}

function objectKeyOf(
  { dek: unwrapped, keyArn }: DataKey,
  { wrapped, objectId, context, keyHint, customerCheck: check }: SealedKey,
  customer?: { readonly dek: Dek; readonly given: GivenKey },
): ObjectKey {
  const shown = shownEncryption(keyHint, keyArn, customer?.given.md5);
  const kept = { context, keyHint, customerCheck: check };
  return { dek: customer?.dek ?? unwrapped, unwrapped, keyArn, wrapped, objectId, kept, shown };
}

/** What a wrapped DEK of an object is bound to by its place. */
export function objectContext(
  place: { readonly bucket: string; readonly key: string },
  rule: SealRule,
  objectId: Uint8Array,
): EncryptionContext {
  return { ...placeContext(place, rule), 'sealgate:object-id': Buffer.from(objectId).toString('hex') };
}

/** The object's ARN, by which policies name it. */
export const placeContext = (
  { bucket, key }: { readonly bucket: string; readonly key: string },
  rule: SealRule,
): EncryptionContext => ({ 'aws:s3:arn': `arn:aws:s3:::${rule.bucketId ?? bucket}/${key}` });

export const keyUse = (
  { caller, requestId }: S3Request,
  { bucket, key }: { readonly bucket: string; readonly key: string },
): KeyUse => ({
  principal: caller.principal,
  via: 's3',
  resource: `s3://${bucket}/${key}`,
  requestId,
});
