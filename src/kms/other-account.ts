/**
 * Callers of another account than the keys'. They name keys by ARN, and are not told which keys, aliases and grants there are that are not shared with
 * them.
 */
import { notSharedMessage } from '../keys/access/decision.ts';
import { nameIn, type KeyRealm } from '../keys/arn.ts';
import { KeysError, UnknownArnError } from '../keys/errors.ts';
import type { KmsCall } from './action.ts';
import { assertAliasName } from './alias-name.ts';
import type { ReadStruct } from './shapes/read.ts';

/** `run` with the names of `value` as the caller means them. Rejects as it does, of what is not shared as of what is not there. */
export async function askedByCaller<Result>(
  action: string,
  value: ReadStruct,
  { use, realm }: Pick<KmsCall, 'use' | 'realm'>,
  run: (value: ReadStruct) => Promise<Result> | Result,
): Promise<Result> {
  const account = accountOf(use.principal);
  if (account === undefined || account === realm.account) return run(value);
  const own = { ...realm, account };
  if (CHANGES_ALIAS.has(action)) throw noAliasOf(own, String(value['AliasName']));
  const named = namedIn(own, value);
  try {
    return await run(named);
  } catch (error) {
    throw error instanceof UnknownArnError ? notShared(error, action, named, use.principal) : error;
  }
}

/** Undefined: a service, which is of no account. */
function accountOf(principal: string): string | undefined {
  const [, , , , account = ''] = principal.split(':', 5);
  return /^\d{12}$/u.test(account) ? account : undefined;
}

const NAMES_OF_KEYS = ['KeyId', 'SourceKeyId', 'DestinationKeyId'] as const;

/**
 * An id or alias without an account is one of the caller's own account: who is of another one has to give the ARN. Source: the API reference's
 * "To specify a KMS key in a different AWS account, you must use the key ARN or alias ARN".
 */
function namedIn(own: KeyRealm, value: ReadStruct): ReadStruct {
  const named = NAMES_OF_KEYS.flatMap((member): [string, string][] => {
    const name = value[member];
    return typeof name === 'string' ? [[member, nameIn(own, name)]] : [];
  });
  return { ...value, ...Object.fromEntries(named) };
}

/** They take an alias by its name alone. */
const CHANGES_ALIAS: ReadonlySet<string> = new Set(['DeleteAlias', 'UpdateAlias']);

function noAliasOf(own: KeyRealm, name: string): KeysError {
  assertAliasName(name);
  return new KeysError('ERR_KEYS_NOT_FOUND', `Alias ${nameIn(own, name)} is not found.`);
}

function notShared({ arn }: UnknownArnError, action: string, named: ReadStruct, principal: string): KeysError {
  const isDestination = named['DestinationKeyId'] === arn && named['SourceKeyId'] !== arn;
  const half = isDestination ? 'ReEncryptTo' : 'ReEncryptFrom';
  const message = notSharedMessage(principal, action === 'ReEncrypt' ? half : action);
  return new KeysError('ERR_KEYS_ACCESS_DENIED', message);
}
