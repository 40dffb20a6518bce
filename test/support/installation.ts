/** Sealgate as its user sets it up, by its own commands: config, key store and keys, the DDL of `check`, `up`. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectTo } from './postgres/connect.ts';
import type { TestPostgres } from './postgres/postgres.ts';
import { sealgate, type Program, type Ran } from './run.ts';

export type Installation = {
  readonly folder: string;
  /** A command on this installation's config. */
  readonly run: (...words: readonly string[]) => Promise<Ran>;
  /** `sealgate up`; the installation's end is its end. Resolves once it accepts connections. */
  readonly up: () => Promise<Listening>;
  readonly remove: () => Promise<void>;
};

export type Listening = {
  readonly program: Program;
  /** Ports by listener: `kms`, `s3`, `postgres`. */
  readonly ports: Readonly<Record<string, number>>;
};

const KEYS = `version: 1
observe: { listen: { port: 0 }, log: { level: warn } }
keys:
  store: ./keys.sqlite
  unseal:
    - { type: keyFile, path: ./root.key }
  audit: { file: ./audit.jsonl }
`;

/** `sections`: the `kms`, `s3` and `postgres` parts of the config, listening on port 0; lines that begin with spaces go on with `keys`. */
export async function install(
  sections: string,
  keys: readonly string[],
  files: Readonly<Record<string, string>> = {},
): Promise<Installation> {
  const folder = await mkdtemp(join(tmpdir(), 'sealgate-installation-'));
  await writeFile(join(folder, 'sealgate.yaml'), `${KEYS}${sections}`);
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text, { mode: 0o600 });
  const run = (...words: readonly string[]): Promise<Ran> => sealgate(words, { cwd: folder }).done;
  const running: Program[] = [];
  const must = async (...words: readonly string[]): Promise<void> => {
    const { code, stderr } = await run(...words);
    if (code !== 0) throw new Error(`sealgate ${words.join(' ')}: ${stderr}`);
  };
  await must('keys', 'init');
  for (const alias of keys) await must('keys', 'create', '--alias', alias);
  return {
    folder,
    run,
    up: async () => {
      const program = sealgate(['up'], { cwd: folder });
      running.push(program);
      const names = [...sections.matchAll(/^(kms|s3|postgres):/gmu)].map(([, name = '']) => name);
      for (const name of names) await program.untilSays(`${name} `);
      return { program, ports: Object.fromEntries(names.map((name) => [name, portOf(program, name)])) };
    },
    remove: async () => {
      for (const { child } of running) child.kill('SIGTERM');
      await Promise.all(running.map(({ done }) => done));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function portOf(program: Program, name: string): number {
  const [, port] = new RegExp(`^${name} .*:(\\d+)/?(?:\\?.*)?$`, 'mu').exec(program.said()) ?? [];
  if (port === undefined) throw new Error(`no listener ${name} in: ${program.said()}`);
  return Number(port);
}

/** Applies what `check --ddl` prints, as the database's superuser, until nothing is left: roles and schemas come before columns. */
export async function applyDdl({ run }: Installation, server: TestPostgres, database: string): Promise<void> {
  const admin = await connectTo(server.url(database));
  try {
    for (let round = 0; round < 3; round += 1) {
      const { stdout, stderr } = await run('check', '--ddl');
      if (stdout === '') break;
      if (round === 2) throw new Error(`check still asks for DDL:\n${stdout}${stderr}`);
      // `\set` is psql's.
      await admin.query(stdout.replaceAll(/^\\.*$/gmu, ''));
    }
  } finally {
    await admin.end();
  }
  const { code, stdout } = await run('check');
  if (code !== 0) throw new Error(`check: ${stdout}`);
}
