/** Checks of section `keys`: does the store open, and are the keys there that rules name? */
import { keysOf } from '../../config/bucket-rules.ts';
import type { Config } from '../../config/config.ts';
import { SealgateError } from '../../errors.ts';
import { openKeyManager } from '../../keys/key-manager.ts';
import { keyManagerOptions, keyPorts } from '../options/keys.ts';
import { remotePorts } from '../options/remote-keys.ts';
import type { CheckFinding } from './report.ts';

/** The keys of all rules, each once, with what names it. */
function referencedKeys({ s3, postgres }: Config): ReadonlyMap<string, string> {
  const keys = new Map<string, string>();
  for (const { keyId, column, table } of postgres?.columns ?? []) keys.set(keyId, `${table}.${column}`);
  for (const { outcome, bucket } of s3?.buckets ?? [])
    for (const keyId of keysOf(outcome)) keys.set(keyId, `bucket ${bucket}`);
  return keys;
}

export async function checkKeys(config: Config): Promise<readonly CheckFinding[]> {
  const about = `key store ${config.keys.store}`;
  try {
    const ports = { ...keyPorts(), ...(await remotePorts(config.keys)) };
    const manager = await openKeyManager(keyManagerOptions(config.keys), ports);
    try {
      const findings: CheckFinding[] = [{ type: 'ok', about, message: 'opens' }];
      for (const [keyId, user] of referencedKeys(config))
        findings.push(await checkKey(keyId, user, config.keys.remote?.endpoint, (id) => manager.resolveKey(id)));
      return findings;
    } finally {
      await manager.close();
    }
  } catch (error) {
    if (!(error instanceof SealgateError)) throw error;
    const code = String(error.code);
    if (code === 'ERR_KEYS_STORE_IN_USE')
      return [{ type: 'note', about, message: 'is in use by a running sealgate, so its keys were not looked at' }];
    const fix =
      code === 'ERR_KEYS_STORE_MISSING'
        ? '`sealgate init` makes a store with its config, `sealgate keys init` one for this config'
        : undefined;
    return [{ type: 'missing', about, message: `${error.message} (${code})`, ...(fix === undefined ? {} : { fix }) }];
  }
}

async function checkKey(
  keyId: string,
  user: string,
  elsewhere: string | undefined,
  resolve: (keyId: string) => Promise<string>,
): Promise<CheckFinding> {
  const about = elsewhere === undefined ? `key ${keyId}` : `key ${keyId} at ${elsewhere}`;
  try {
    const arn = await resolve(keyId);
    return { type: 'ok', about, message: arn.includes(':alias/') ? 'is made when it is first used' : `is ${arn}` };
  } catch (error) {
    if (!(error instanceof SealgateError)) throw error;
    const alias = elsewhere === undefined ? /^alias\/(.+)$/u.exec(keyId)?.[1] : undefined;
    const fix = alias === undefined ? undefined : `sealgate keys create --alias ${alias}`;
    return {
      type: error.code === 'ERR_KEYS_REMOTE_UNAVAILABLE' ? 'unreachable' : 'missing',
      about,
      message: `${error.message} (${String(error.code)}); named by ${user}`,
      ...(fix === undefined ? {} : { fix }),
    };
  }
}
