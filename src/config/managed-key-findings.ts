/**
 * Rules that name `alias/aws/…`: keys that a service of ours manages, and that nothing but that service can use. A rule that names
 * another's would be refused at each use, so it is refused here.
 */
import type { ConfigPath, Finding } from './problem.ts';
import type { ConfigFile } from './schema.ts';

type Named = { readonly keyId: string | undefined; readonly path: ConfigPath; readonly own: string };

export function managedKeyFindings({ keys, s3, postgres }: ConfigFile): readonly Finding[] {
  const named: readonly Named[] = [
    ...(s3?.buckets ?? []).flatMap(({ seal, allowedKeys = [] }, index): readonly Named[] => {
      const [at, own] = [['s3', 'buckets', index], 'alias/aws/s3'];
      const further = allowedKeys.map((keyId, place): Named => ({ keyId, path: [...at, 'allowedKeys', place], own }));
      return [{ keyId: seal, path: [...at, 'seal'], own }, ...further];
    }),
    ...(postgres?.columns ?? []).map(({ key: keyId }, index): Named => {
      return { keyId, path: ['postgres', 'columns', index, 'key'], own: 'alias/aws/rds' };
    }),
  ];
  return named.flatMap(({ keyId = '', path, own }): readonly Finding[] => {
    const alias = /(?:^|:)(alias\/aws\/.*)$/u.exec(keyId)?.[1];
    if (alias === undefined) return [];
    if (keys.remote !== undefined) return [elsewhere(path)];
    return alias === own ? [] : [another(path, own)];
  });
}

const another = (path: ConfigPath, own: string): Finding => ({
  code: 'ERR_CONFIG_VALUE',
  path,
  at: 'value',
  message: `a key that only the service it is named after can use; here that is \`${own}\``,
});

/** The other end sees a client of its API, and cannot know on whose behalf it asks: it would have to believe what we say. */
const elsewhere = (path: ConfigPath): Finding => ({
  code: 'ERR_CONFIG_CONTRADICTION',
  path,
  other: ['keys', 'remote'],
  at: 'value',
  message:
    'the remote key manager lets nobody but its own services use its `alias/aws/…`; name a key that allows this process',
});
