/**
 * Files of the `keys` section that would be one and the same. Threat: an audit log or epoch file written where the store or a key
 * file lies. Paths are compared as they are written, made absolute; links are not followed.
 */
import type { KeysConfig } from './config.ts';
import type { ConfigPath, Finding } from './problem.ts';

type NamedFile = { readonly path: ConfigPath; readonly file: string };

const STORE: ConfigPath = ['keys', 'store'];
const EPOCH: ConfigPath = ['keys', 'epochFile'];
const AUDIT: ConfigPath = ['keys', 'audit', 'file'];

/** What the key manager writes or reads beside what the config names (docs/KEYSTORE.md, "Files"). */
function filesOf({ store, epochFile, audit, unseal }: KeysConfig, configFile: string): readonly NamedFile[] {
  return [
    { path: [], file: configFile },
    ...['', '-wal', '-shm', '.lock'].map((ending) => ({ path: STORE, file: `${store}${ending}` })),
    { path: epochFile === undefined ? STORE : EPOCH, file: epochFile ?? `${store}.epoch` },
    ...['', '.head'].map((ending) => ({ path: AUDIT, file: `${audit.file}${ending}` })),
    ...audit.sinks.flatMap((sink, index): NamedFile[] => {
      const at = ['keys', 'audit', 'sinks', index];
      const copy = sink.type === 'file' ? [{ path: [...at, 'path'], file: sink.path }] : [];
      // Two of one name are told of as such.
      if (audit.sinks.findIndex(({ name }) => name === sink.name) !== index) return copy;
      return [{ path: [...at, 'name'], file: `${audit.file}.${sink.name}.cursor` }, ...copy];
    }),
    ...unseal.flatMap((slot, index): NamedFile[] => {
      if (slot.type === 'passphrase') return [];
      return [
        { path: ['keys', 'unseal', index, slot.type === 'keyFile' ? 'path' : 'passphraseFile'], file: slot.path },
      ];
    }),
  ];
}

export function keyPathFindings(keys: KeysConfig, configFile: string): readonly Finding[] {
  const files = filesOf(keys, configFile);
  return files.flatMap((named, index): Finding[] => {
    const first = files.findIndex(({ file }) => file === named.file);
    const other = files[first];
    if (other === undefined || first === index) return [];
    const message = `the file ${named.file} has two uses: each needs a file of its own`;
    return [{ code: 'ERR_CONFIG_CONTRADICTION', path: named.path, other: other.path, at: 'value', message }];
  });
}
