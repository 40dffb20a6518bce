/** Configs from texts, for tests: what they load to, and what is wrong with them. */
import type { Config } from '../../src/config/config.ts';
import { ConfigError } from '../../src/config/errors.ts';
import { loadConfig } from '../../src/config/load.ts';

/** What a config needs at least. */
export const KEYS = 'version: 1\nkeys:\n  unseal: [{ type: keyFile, path: root.key }]\n';

type World = {
  readonly env?: Readonly<Record<string, string>>;
  /** What lies beside `/etc/gate/sealgate.yaml`, by absolute path. */
  readonly files?: Readonly<Record<string, string>>;
  readonly only?: 'keys';
};

export function loadText(text: string, { env = {}, files = {}, only }: World = {}): Promise<Config> {
  const all: Readonly<Record<string, string>> = { '/etc/gate/sealgate.yaml': text, ...files };
  const readFile = async (path: string): Promise<Uint8Array> => {
    const content = all[path];
    if (content === undefined) throw Object.assign(new Error('no'), { code: 'ENOENT' });
    return Buffer.from(content);
  };
  return loadConfig('/etc/gate/sealgate.yaml', env, readFile, only === undefined ? {} : { only });
}

/** Every problem as `line:column CODE path`. */
export async function problemsOf(text: string, world?: World): Promise<readonly string[]> {
  const error: unknown = await loadText(text, world).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ConfigError)) throw new TypeError(`no ConfigError: ${String(error)}`);
  return error.problems.map(
    ({ position, code, path }) => `${position.line}:${position.column} ${code.slice(11)} ${path}`,
  );
}
