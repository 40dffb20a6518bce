/** The config a command works on: `--config`, else `$SEALGATE_CONFIG`, else `sealgate.yaml` in the current folder. */
import { readFile } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import type { Config } from '../config/config.ts';
import { isKmsServedOverTls, loadConfig, type LoadOptions } from '../config/load.ts';
import { SealgateError } from '../errors.ts';
import { parsePolicy } from '../keys/access/policy/policy.ts';
import { checkLifeRule } from '../keys/life/terms/check-rule.ts';
import type { CommandIo } from './command.ts';

const DEFAULT_NAME = 'sealgate.yaml';

/** Errors: ERR_CONFIG_INVALID, ERR_CONFIG_UNREADABLE. */
export function loadCommandConfig(
  given: string | undefined,
  io: Pick<CommandIo, 'env' | 'cwd'>,
  options: LoadOptions = {},
): Promise<Config> {
  const { env, cwd } = io;
  return loadConfig(configPath(given, io), env, (file) => readFile(resolve(cwd, file)), {
    ...{ checkPolicy, checkLifeRule },
    ...options,
  });
}

/** Whether the KMS API is served over TLS; undefined: it is not served. Errors: ERR_CONFIG_UNREADABLE. */
export function isCommandKmsOverTls(
  given: string | undefined,
  io: Pick<CommandIo, 'env' | 'cwd'>,
): Promise<boolean | undefined> {
  return isKmsServedOverTls(configPath(given, io), (file) => readFile(resolve(io.cwd, file)));
}

function configPath(given: string | undefined, { env, cwd }: Pick<CommandIo, 'env' | 'cwd'>): string {
  const fromEnvironment = env['SEALGATE_CONFIG'];
  const path = resolve(
    cwd,
    given ?? (fromEnvironment === undefined || fromEnvironment === '' ? DEFAULT_NAME : fromEnvironment),
  );
  // Messages name the file as the operator would from where they stand; the loader resolves it from the process's own folder.
  const shown = relative(process.cwd(), path);
  return shown === '' || shown.startsWith('..') ? path : shown;
}

/** What is wrong with a policy document; undefined for nothing. */
export function checkPolicy(document: string, kind: 'key' | 'identity'): string | undefined {
  try {
    parsePolicy(document, kind);
    return undefined;
  } catch (error) {
    if (error instanceof SealgateError) return error.message;
    throw error;
  }
}
