/** Programs of `test/clients` for Node whose packages this repository does without: npm installs those on first use. */
import { join } from 'node:path';
import { buildClient } from './client-cache.ts';
import type { LanguageClient } from './language-clients.ts';

const CLIENTS = join(import.meta.dirname, '../clients');
const NPM = ['npm', 'install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock', '--silent'] as const;
// Nothing of the schema engine is used, and it would be downloaded first.
const WITHOUT_ENGINE = { PRISMA_SCHEMA_ENGINE_BINARY: process.execPath };

/** `test/clients/<name>/main.mjs`, whose first argument is the folder with these packages. */
export async function nodeClient(name: string, packages: readonly string[]): Promise<LanguageClient> {
  const built = await buildClient({ name, needs: ['npm'], steps: [{ words: [...NPM, ...packages] }] });
  return built.type === 'none' ? built : { type: 'built', words: words(name, built.folder) };
}

/** Prisma's client made from `test/clients/<name>/schema.prisma`. */
export async function prismaClient(name: string, version: string): Promise<LanguageClient> {
  const built = await buildClient({
    name,
    needs: ['npm'],
    source: join(CLIENTS, name),
    steps: [
      { words: [...NPM, `@prisma/client@${version}`, `@prisma/adapter-pg@${version}`, `prisma@${version}`] },
      { words: [process.execPath, 'node_modules/prisma/build/index.js', 'generate'], env: WITHOUT_ENGINE },
    ],
  });
  return built.type === 'none' ? built : { type: 'built', words: words(name, built.folder) };
}

const words = (name: string, folder: string): readonly [string, ...string[]] => [
  process.execPath,
  join(CLIENTS, name, 'main.mjs'),
  folder,
];
