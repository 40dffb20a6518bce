/** Configs from texts, for tests: what they load to, and what is wrong with them. */
import type { Config } from '../../src/config/config.ts';
import { ConfigError } from '../../src/config/errors.ts';
import { loadConfig } from '../../src/config/load.ts';

/** What a config needs at least. */
export const KEYS = 'version: 1\nkeys:\n  unseal: [{ type: keyFile, path: root.key }]\n';

/** `files`: what lies beside `/etc/gate/sealgate.yaml`, by absolute path. */
export function loadText(text: string, files: Readonly<Record<string, string>> = {}): Promise<Config> {
  return loadConfig('/etc/gate/sealgate.yaml', {}, (path) => {
    const content = path === '/etc/gate/sealgate.yaml' ? text : files[path];
    return content === undefined
      ? Promise.reject(Object.assign(new Error('no'), { code: 'ENOENT' }))
      : Promise.resolve(Buffer.from(content));
  });
}

/** Every problem as `line:column CODE path`. */
export async function problemsOf(text: string): Promise<readonly string[]> {
  const error: unknown = await loadText(text).catch((thrown: unknown) => thrown);
  if (!(error instanceof ConfigError)) throw new TypeError(`no ConfigError: ${String(error)}`);
  return error.problems.map(
    ({ position, code, path }) => `${position.line}:${position.column} ${code.slice(11)} ${path}`,
  );
}
