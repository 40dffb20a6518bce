/** Names of keys: UUIDs, ARNs and aliases, in AWS KMS's forms, so that policies, SOPS and Terraform take them as they are. */
import { KeysError } from './errors.ts';
import { MAX_ALIAS_CHARS } from './limits.ts';

/** Where keys live, as ARNs say it. */
export type KeyRealm = { readonly region: string; readonly account: string };

export type KeyReference =
  { readonly type: 'key'; readonly keyId: string } | { readonly type: 'alias'; readonly aliasName: string };

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const ALIAS = /^alias\/[a-zA-Z0-9:/_-]+$/;
const ARN = /^arn:aws[\w-]*:kms:([^:]+):([0-9]{12}):(.+)$/;

export function keyArn(realm: KeyRealm, keyId: string): string {
  return `arn:aws:kms:${realm.region}:${realm.account}:key/${keyId}`;
}

export function aliasArn(realm: KeyRealm, aliasName: string): string {
  return `arn:aws:kms:${realm.region}:${realm.account}:${aliasName}`;
}

/** Parses any of the four forms; ERR_KEYS_INVALID_ID, or ERR_KEYS_NOT_FOUND for an ARN of another region or account. */
export function parseKeyReference(text: string, realm: KeyRealm): KeyReference {
  const arn = ARN.exec(text);
  if (arn === null) return parseResource(text, text);
  const [, region, account, resource = ''] = arn;
  if (region !== realm.region || account !== realm.account) {
    throw new KeysError('ERR_KEYS_NOT_FOUND', `${shown(text)} is not in ${realm.region}, account ${realm.account}`);
  }
  return resource.startsWith('key/') ? parseUuid(resource.slice('key/'.length), text) : parseResource(resource, text);
}

function parseResource(resource: string, whole: string): KeyReference {
  if (!resource.startsWith('alias/')) return parseUuid(resource, whole);
  if (resource.length > MAX_ALIAS_CHARS || !ALIAS.test(resource)) throw invalidId(whole);
  return { type: 'alias', aliasName: resource };
}

function parseUuid(text: string, whole: string): KeyReference {
  const keyId = text.toLowerCase();
  if (!UUID.test(keyId)) throw invalidId(whole);
  return { type: 'key', keyId };
}

/** An alias that may be made: `alias/...`, not AWS's own `alias/aws/...`. */
export function checkNewAlias(aliasName: string): void {
  const fits = aliasName.length <= MAX_ALIAS_CHARS && ALIAS.test(aliasName) && !aliasName.startsWith('alias/aws/');
  if (!fits) {
    throw new KeysError(
      'ERR_KEYS_INVALID_REQUEST',
      `${shown(aliasName)} is no alias: alias/ and 1 to 250 of a-z A-Z 0-9 : / _ -, not alias/aws/`,
    );
  }
}

function invalidId(text: string): KeysError {
  return new KeysError('ERR_KEYS_INVALID_ID', `${shown(text)} is no key id, key ARN, alias name or alias ARN`);
}

/** A client's text inside a message: short, and on one line. */
function shown(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}

export function uuidToBytes(keyId: string): Uint8Array {
  return Buffer.from(keyId.replaceAll('-', ''), 'hex');
}

export function bytesToUuid(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** A random UUID (version 4, RFC 9562). */
export function newKeyUuid(random: (bytes: number) => Uint8Array): string {
  const bytes = random(16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytesToUuid(bytes);
}
