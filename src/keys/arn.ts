/** Names of keys: UUIDs, ARNs and aliases, in AWS KMS's forms, so that policies, SOPS and Terraform take them as they are. */
import { KeysError, type KeysErrorCode } from './errors.ts';
import { MAX_ALIAS_CHARS } from './limits.ts';

/** Where keys live, as ARNs say it. */
export type KeyRealm = { readonly region: string; readonly account: string };

export type KeyReference =
  { readonly type: 'key'; readonly keyId: string } | { readonly type: 'alias'; readonly aliasName: string };

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const MULTI_REGION = 'mrk-';
const MULTI_REGION_ID = /^mrk-[0-9a-f]{32}$/;
const ALIAS = /^alias\/[a-zA-Z0-9:/_-]+$/;
const ARN = /^arn:aws[\w-]*:kms:([^:]+):([0-9]{12}):(.+)$/;

export function keyArn(realm: KeyRealm, keyId: string): string {
  return `arn:aws:kms:${realm.region}:${realm.account}:key/${keyId}`;
}

export function aliasArn(realm: KeyRealm, aliasName: string): string {
  return `arn:aws:kms:${realm.region}:${realm.account}:${aliasName}`;
}

/**
 * Parses any of the four forms. Errors, in AWS's words: ERR_KEYS_INVALID_ID, ERR_KEYS_INVALID_ARN, or ERR_KEYS_NOT_FOUND for an
 * ARN of another region or account.
 */
export function parseKeyReference(text: string, realm: KeyRealm): KeyReference {
  if (!text.startsWith('arn:'))
    return parseResource(text) ?? fail('ERR_KEYS_INVALID_ID', `Invalid keyId '${shown(text)}'`);
  const [, region = '', account, resource = ''] = ARN.exec(text) ?? [];
  const reference = resource.startsWith('key/') ? parseKeyId(resource.slice('key/'.length)) : parseAlias(resource);
  if (reference === undefined) return fail('ERR_KEYS_INVALID_ARN', `Invalid arn ${shown(text)}`);
  if (region !== realm.region) return fail('ERR_KEYS_NOT_FOUND', `Invalid arn ${shown(region)}`);
  if (account !== realm.account) {
    const gone = reference.type === 'alias' ? `Alias ${text} is not found.` : `Key '${shown(text)}' does not exist`;
    return fail('ERR_KEYS_NOT_FOUND', gone);
  }
  return reference;
}

/** The ARN for which an id or alias stands that somebody of that account gives; what is none of the two stays as it is. */
export function nameIn(realm: KeyRealm, text: string): string {
  const reference = parseResource(text);
  if (reference === undefined) return text;
  return reference.type === 'alias' ? aliasArn(realm, reference.aliasName) : keyArn(realm, reference.keyId);
}

/** Undefined: no ARN. */
export function regionOfArn(text: string): string | undefined {
  return ARN.exec(text)?.[1];
}

/** For what takes no alias: ERR_KEYS_INVALID_ID for one, else as `parseKeyReference`. */
export function assertNoAlias(text: string, realm: KeyRealm): void {
  if (parseKeyReference(text, realm).type === 'alias') fail('ERR_KEYS_INVALID_ID', `Invalid keyId '${shown(text)}'`);
}

function parseResource(resource: string): KeyReference | undefined {
  return resource.startsWith('alias/') ? parseAlias(resource) : parseKeyId(resource);
}

function parseAlias(aliasName: string): KeyReference | undefined {
  return aliasName.length <= MAX_ALIAS_CHARS && ALIAS.test(aliasName) ? { type: 'alias', aliasName } : undefined;
}

function parseKeyId(text: string): KeyReference | undefined {
  const keyId = text.toLowerCase();
  return UUID.test(keyId) || MULTI_REGION_ID.test(keyId) ? { type: 'key', keyId } : undefined;
}

/** An alias that may be made: `alias/...`, not AWS's own `alias/aws/...`. */
export function checkNewAlias(aliasName: string): void {
  const fits = aliasName.length <= MAX_ALIAS_CHARS && ALIAS.test(aliasName) && !aliasName.startsWith('alias/aws/');
  if (!fits) {
    throw new KeysError(
      'ERR_KEYS_INVALID_REQUEST',
      `'${shown(aliasName)}' is no alias: alias/ and 1 to 250 of a-z A-Z 0-9 : / _ -, not alias/aws/`,
    );
  }
}

function fail(code: KeysErrorCode, message: string): never {
  throw new KeysError(code, message);
}

/** A client's text inside a message: no longer than the longest ARN, and on one line. */
function shown(text: string): string {
  return (text.length > 320 ? `${text.slice(0, 320)}…` : text).replaceAll(/[\p{Cc}\p{Cs}]/gu, '?');
}

/** The 16 bytes of a UUID, or of a multi-Region key's id. */
export function uuidToBytes(keyId: string): Uint8Array {
  const digits = keyId.startsWith(MULTI_REGION) ? keyId.slice(MULTI_REGION.length) : keyId.replaceAll('-', '');
  return Buffer.from(digits, 'hex');
}

export function bytesToUuid(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** The id of the key whose 16 bytes these are. */
export function bytesToKeyId(bytes: Uint8Array, isMultiRegion: boolean): string {
  return isMultiRegion ? MULTI_REGION + Buffer.from(bytes).toString('hex') : bytesToUuid(bytes);
}

/** Random, as all ids; `mrk-` tells it from those of one region's keys. */
export function newMultiRegionId(random: (bytes: number) => Uint8Array): string {
  return bytesToKeyId(random(16), true);
}

/** A random UUID (version 4, RFC 9562). */
export function newKeyUuid(random: (bytes: number) => Uint8Array): string {
  const bytes = random(16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytesToUuid(bytes);
}
