/** `sealgate init`: a commented config, a root key file and an empty key store, all new or nothing. */
import { lstat, mkdir, rm } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { defineCommand, EXIT, type CommandIo } from './command.ts';
import { CONFIG_EXAMPLE, CONFIG_FILE_NAME, KEY_FILE_NAME } from './config-example.ts';
import { enterFolder } from './enter-folder.ts';
import { CliError } from './errors.ts';
import { cannotWrite, writeNewFile } from './new-file.ts';
import { makeStore } from './keys/make-store.ts';
import { loadCommandConfig } from './load.ts';
import { keyManagerOptions } from './options/keys.ts';

export const initCommand = defineCommand({
  name: 'init',
  summary: 'write a commented sealgate.yaml, a root key and an empty key store',
  usage: 'init [folder]',
  example: 'sealgate init\nsealgate init /etc/sealgate',
  details:
    'Nothing that exists is overwritten. The root key file can be read by you alone (mode 0600);\nkeep a copy of it apart from the key store: without it, whatever was sealed stays sealed.',
  options: {},
  positionals: { min: 0, max: 1 },
  run: async ({ positionals }, io) => {
    const folder = resolve(io.cwd, positionals[0] ?? '.');
    await initFolder(folder, io);
    const from = relative(io.cwd, folder);
    const shown = from.startsWith('..') ? folder : from;
    const name = (file: string): string => join(shown, file);
    // The commands below look for the config where they are started.
    const enter = shown === '' ? '' : `  ${enterFolder(shown, process.platform)}\n`;
    io.stdout.write(
      `wrote ${name(CONFIG_FILE_NAME)}, ${name(KEY_FILE_NAME)} and the key store\n` +
        `next: name your store in the config, then\n${enter}  sealgate keys create --alias objects\n  sealgate check\n  sealgate up\n`,
    );
    return EXIT.ok;
  },
});

async function initFolder(folder: string, io: CommandIo): Promise<void> {
  const config = join(folder, CONFIG_FILE_NAME);
  const keyFile = join(folder, KEY_FILE_NAME);
  await refuseExisting([config, keyFile, join(folder, 'sealgate-keys.sqlite'), join(folder, 'sealgate-audit.jsonl')]);
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw cannotWrite(folder, error);
  });
  await writeNewFile(config, (file) => file.writeFile(CONFIG_EXAMPLE, { signal: io.signal }));
  try {
    const { keys } = await loadCommandConfig(config, { env: {}, cwd: folder }, { only: 'keys' });
    await makeStore(keyManagerOptions(keys));
  } catch (error) {
    // It was created exclusively, a moment ago.
    await rm(config, { force: true });
    throw error;
  }
}

async function refuseExisting(files: readonly string[]): Promise<void> {
  for (const file of files) {
    const found = await lstat(file).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
      throw cannotWrite(file, error);
    });
    if (found !== undefined) throw new CliError('ERR_CLI_EXISTS', `${file} exists already; nothing was written`);
  }
}
