/** The README's walks, typed as they stand: only hosts and ports are the test's own. */
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { connectTo } from '../support/postgres/connect.ts';
import { searchFiles } from '../../src/cli/demo/search-files.ts';
import { freePort } from '../../src/cli/demo/servers.ts';
import { missing } from '../support/programs.ts';
import { startPostgres } from '../support/postgres/postgres.ts';
import { start, type Ran } from '../support/run.ts';
import { startS3rver } from '../support/s3/s3rver.ts';
import { skipBecause } from '../support/skip.ts';

const root = join(import.meta.dirname, '../..');
const CANARY = 'quarterly figures, not for the press';

type Block = { readonly language: string; readonly text: string };

/** The code blocks of a section, in order. */
async function blocksOf(heading: string): Promise<readonly Block[]> {
  const readme = await readFile(join(root, 'README.md'), 'utf8');
  return blocksIn(readme.split(/^## /mu).find((text) => text.startsWith(`${heading}\n`)) ?? '');
}

function blocksIn(section: string): readonly Block[] {
  return [...section.matchAll(/^```(\w+)\n(.*?)^```$/gmsu)].map(([, language = '', text = '']) => ({ language, text }));
}

let folder: string;
let env: NodeJS.ProcessEnv;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealgate-readme-'));
  const bin = join(folder, '.bin');
  await mkdir(bin);
  await writeFile(join(bin, 'sealgate'), `#!/bin/sh\nexec "${process.execPath}" "${root}/src/main.ts" "$@"\n`);
  await chmod(join(bin, 'sealgate'), 0o755);
  env = {
    ...process.env,
    PATH: [bin, process.env['PATH']].join(delimiter),
    PGPASSFILE: join(folder, '.pgpass'),
    AWS_CONFIG_FILE: join(folder, '.aws-config'),
    AWS_EC2_METADATA_DISABLED: 'true',
  };
});
afterEach(async () => {
  await bash('[ ! -f up.pid ] || { kill $(cat up.pid); while kill -0 $(cat up.pid) 2>&-; do sleep 0.1; done; }');
  await rm(folder, { recursive: true });
});

const bash = (script: string): Promise<Ran> => start('bash', ['-c', script], { env, cwd: folder }).done;

/** Runs blocks as a user would: the listener in a second terminal, YAML by an editor. Commands that fail are told at the end. */
async function walk(heading: string, own: Readonly<Record<string, string>>): Promise<Ran> {
  const observe = String(await freePort());
  const blocks = await blocksOf(heading);
  for (const theirs of Object.keys(own)) expect(blocks.map(({ text }) => text).join('')).toContain(theirs);
  const replaced = (text: string): string =>
    Object.entries(own).reduce((all, [theirs, ours]) => all.replaceAll(theirs, ours), text);
  const script = [`trap 'echo "failed: $BASH_COMMAND"' ERR`];
  for (const [index, { language, text }] of blocks.entries()) {
    if (language === 'yaml') {
      await writeFile(join(folder, `block-${index}.yaml`), replaced(text));
      script.push(
        `sed -i.before 's/port: 9090/port: ${observe}/' sealgate.yaml`,
        `cat block-${index}.yaml >> sealgate.yaml`,
      );
    } else {
      script.push(replaced(text).replaceAll(/^sealgate up.*$/gmu, UP));
    }
  }
  return bash(script.join('\n'));
}

// The file is made first: a shell that is slow to start what runs behind would not have it yet.
const UP = `: > up.log; sealgate up > up.log 2> up.err & echo $! > up.pid
until grep -q observe up.log || ! kill -0 $! 2>&-; do sleep 0.1; done`;

describe('Front your own bucket', () => {
  skipBecause(missing('aws', 'openssl'));

  test('works as it is written', async () => {
    const store = await startS3rver({ buckets: ['invoices'] });
    onTestFinished(() => store.close());
    const report = `${CANARY}\n`.repeat(2000);
    await writeFile(join(folder, 'report.pdf'), report);
    await writeFile(join(folder, '.aws-config'), '');
    // What the default chain finds until the user exports the client's: the store's own.
    env = { ...env, AWS_ACCESS_KEY_ID: store.accessKeyId, AWS_SECRET_ACCESS_KEY: store.secretAccessKey };
    const port = String(await freePort());
    const { stdout, stderr } = await walk('Front your own bucket', {
      'https://s3.eu-central-1.amazonaws.com': store.url,
      '9000': port,
    });
    expect({ stdout, stderr }).toMatchObject({ stdout: expect.not.stringContaining('failed:'), stderr: '' });
    expect(stdout).toMatch(/^ok +bucket invoices: is there$/mu);
    expect(stdout).toMatch(new RegExp(` ${report.length} report\\.pdf$`, 'mu'));
    expect((await searchFiles(store.directory, [CANARY])).found).toEqual([]);
  });
});

describe('docs/S3.md', () => {
  skipBecause(missing('aws', 'openssl', 'curl'));

  test('works as it is written', async () => {
    const store = await startS3rver({ buckets: ['invoices'] });
    onTestFinished(() => store.close());
    const report = `${CANARY}\n`.repeat(2000);
    await writeFile(join(folder, 'report.pdf'), report);
    await writeFile(join(folder, '.aws-config'), '');
    env = { ...env, AWS_ACCESS_KEY_ID: store.accessKeyId, AWS_SECRET_ACCESS_KEY: store.secretAccessKey };
    const own = {
      'https://s3.eu-central-1.amazonaws.com': store.url,
      '9000': String(await freePort()),
      '9090': String(await freePort()),
    };
    const blocks = blocksIn(await readFile(join(root, 'docs/S3.md'), 'utf8')).map(({ text }) =>
      Object.entries(own).reduce((all, [theirs, ours]) => all.replaceAll(theirs, ours), text),
    );
    const [yaml = '', json = '', script = ''] = blocks;
    await writeFile(join(folder, 'sealgate.yaml'), yaml);
    await writeFile(join(folder, 'reports.json'), json);
    const lines = ['shopt -s expand_aliases', `trap 'echo "failed: $BASH_COMMAND"' ERR`, script];
    const { stdout, stderr } = await bash(lines.join('\n').replaceAll(/^sealgate up.*$/gmu, UP));
    expect({ stdout, stderr }).toMatchObject({ stdout: expect.not.stringContaining('failed:'), stderr: '' });
    for (const said of ['without a signature: 403', 'reports may s3:GetObject', 'reports may not s3:GetObject'])
      expect(stdout).toContain(said);
    expect(stdout).toMatch(/^as said$/mu);
    expect(stdout).toMatch(/^preflight: 200$/mu);
    for (const file of ['everybody.pdf', 'back.pdf']) expect(await readFile(join(folder, file), 'utf8')).toBe(report);
    const { found } = await searchFiles(store.directory, [CANARY]);
    expect(found.every(({ file }) => file.includes('public'))).toBe(true);
  });
});

describe('Front your own Postgres', () => {
  skipBecause(missing('psql', 'openssl'));

  test('works as it is written', async () => {
    const server = await startPostgres();
    onTestFinished(() => server.stop());
    const admin = await connectTo(server.url());
    await admin.query('CREATE DATABASE app');
    await admin.query("CREATE ROLE app LOGIN PASSWORD 'app-password'");
    await admin.end();
    const owner = await connectTo(server.url('app'));
    await owner.query(
      'CREATE TABLE customers (id serial PRIMARY KEY, name text NOT NULL, national_id text, notes text)',
    );
    await owner.query('GRANT SELECT, INSERT ON customers TO app; GRANT USAGE ON SEQUENCE customers_id_seq TO app');
    await writeFile(join(folder, '.pgpass'), `*:*:*:postgres:${server.password}\n*:*:*:app:app-password\n`, {
      mode: 0o600,
    });
    const { stdout } = await walk('Front your own Postgres', {
      'db.internal, port: 5432': `127.0.0.1, port: ${server.port}`,
      'db.internal:5432': `127.0.0.1:${server.port}`,
      '6432': String(await freePort()),
    });
    // The first look finds what the DDL then mends.
    expect(stdout.match(/^failed: .*$/gmu)).toEqual(['failed: sealgate check']);
    expect(stdout).toMatch(/^ +1 \| Ann +\| 078-05-1120 \| likes tea$/mu);
    const { rows } = await owner.query<{ line: string }>('SELECT c::text AS line FROM customers c');
    await owner.end();
    expect(rows).toHaveLength(1);
    expect(rows[0]?.line).toMatch(/^\(1,Ann,"\\\\xf5534756\w+","\\\\xf5534756\w+"\)$/u);
  });
});
