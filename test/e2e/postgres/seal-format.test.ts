/** `sealgate postgres seal` and `unseal` of format-preserving columns, whose type and values look the same before and after. */
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { requireSecret, watchServer } from '../../support/canaries.ts';
import { AS_OWNER, installShop, type InstalledShop } from '../../support/postgres/installed-shop.ts';
import type { Installation } from '../../support/installation.ts';
import type { TestPostgres } from '../../support/postgres/postgres.ts';
import { sealgate, type Program, type Ran } from '../../support/run.ts';

let all: InstalledShop;
let server: TestPostgres;
let installation: Installation;
let direct: pg.Client;

const FORMAT = 'format: { alphabet: digits, keepFirst: 4, keepLast: 2 }';
const RULES = [
  `{ column: shop.public.cards.pan, type: varchar(19), key: alias/shop, mode: format-preserving, ${FORMAT} }`,
  '{ column: shop.public.cards.note, type: text, key: alias/shop }',
];

beforeAll(async () => {
  all = await installShop(
    `
    CREATE TABLE cards (id int PRIMARY KEY, pan varchar(19) COLLATE "C" NOT NULL UNIQUE, note text);
    INSERT INTO cards SELECT i, '4000' || lpad((i * 7919)::text, 12, '0'), 'note ' || i FROM generate_series(1, 3000) i;
    CREATE INDEX cards_pan ON cards (pan varchar_pattern_ops); ANALYZE cards;
    GRANT SELECT ON cards TO sealgate`,
    RULES,
  );
  ({ server, installation, direct } = all);
  await watchServer(server);
});
afterAll(() => all.close());

const words = (direction: 'seal' | 'unseal', ...more: readonly string[]): readonly string[] => [
  'postgres',
  direction,
  'public.cards.pan',
  ...more,
  ...AS_OWNER,
];
const move = (direction: 'seal' | 'unseal', ...more: readonly string[]): Promise<Ran> =>
  installation.run(...words(direction, ...more));

async function must(ran: Promise<Ran>): Promise<Ran> {
  const done = await ran;
  expect(done.code, done.stderr).toBe(0);
  return done;
}

async function rows(client: pg.Client, sql: string): Promise<readonly unknown[]> {
  return (await client.query<unknown[]>({ text: sql, rowMode: 'array' })).rows;
}

const PANS = 'SELECT id, pan FROM cards ORDER BY id';
const shape = (): Promise<readonly unknown[]> =>
  rows(
    direct,
    `SELECT attname, attnum, format_type(atttypid, atttypmod), attcollation::regcollation::text, attnotnull FROM pg_attribute
     WHERE attrelid = 'cards'::regclass AND attnum > 0 AND NOT attisdropped UNION ALL
     SELECT conname, 0, pg_get_constraintdef(oid), '', true FROM pg_constraint WHERE conrelid = 'cards'::regclass UNION ALL
     SELECT indexrelid::regclass::name, 0, pg_get_indexdef(indexrelid), '', true FROM pg_index WHERE indrelid = 'cards'::regclass ORDER BY 1`,
  );
const mark = (): Promise<readonly unknown[]> =>
  rows(direct, "SELECT mode FROM sealgate.columns WHERE column_name = 'pan'");
const SEALED = 'format-preserving digits 4 2 1';

/** What `up` shows of the column; undefined: it does not come up. */
async function throughProxy<Result>(work: (client: pg.Client) => Promise<Result>): Promise<Result> {
  const { program, ports } = await installation.up();
  const { host, superuser: user, password } = server;
  const client = new pg.Client({ host, port: Number(ports['postgres']), user, password, database: 'shop' });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
    program.child.kill('SIGTERM');
    await program.done;
  }
}

async function isRefused(): Promise<void> {
  const { code, stdout, stderr } = await installation.run('check');
  expect(code, stdout + stderr).not.toBe(0);
  expect(stdout + stderr).toContain('on their way in or out');
}

async function filesWith(text: string): Promise<readonly string[]> {
  const folder = join(server.dataDirectory, 'base');
  const found: string[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && (await readFile(path)).includes(text)) found.push(path);
  }
  return found;
}

/** Resolves when standard error holds the text, or the program ended. */
function untilTells({ child, done }: Program, text: string): Promise<unknown> {
  let told = '';
  const said = new Promise<void>((resolve) => {
    child.stderr?.on('data', (chunk: Buffer) => {
      told += chunk.toString();
      if (told.includes(text)) resolve();
    });
  });
  return Promise.race([said, done]);
}

const killed = async (direction: 'seal' | 'unseal', text: string): Promise<void> => {
  const program = sealgate(words(direction), { cwd: installation.folder });
  await untilTells(program, text);
  program.child.kill('SIGKILL');
  expect((await program.done).code).not.toBe(0);
};

/** Puts the database where a run leaves it that ends right behind its swap, or a step later. */
async function asBehindSwap(mode: string | undefined, since: readonly unknown[]): Promise<void> {
  const [[attnum]] = since as readonly [readonly [number]]; // one row of one number
  await direct.query(`ALTER TABLE cards ADD COLUMN sealgate_moving_${attnum} boolean`);
  if (mode !== undefined) await direct.query("UPDATE sealgate.columns SET mode = $1 WHERE column_name = 'pan'", [mode]);
}
const attnum = (): Promise<readonly unknown[]> =>
  rows(direct, "SELECT attnum FROM pg_attribute WHERE attrelid = 'cards'::regclass AND attname = 'pan'");

/** While it lasts no run comes to its swap: each is killed when it has said these. The work column is there as after the first step. */
async function killedAtEach(direction: 'seal' | 'unseal', steps: readonly string[], holds: unknown): Promise<void> {
  const [[number]] = (await attnum()) as readonly [readonly [number]]; // one row of one number
  await direct.query(`SET ROLE owner; ALTER TABLE cards ADD COLUMN sealgate_moving_${number} varchar(19); RESET ROLE`);
  await direct.query('BEGIN; LOCK TABLE cards IN ACCESS SHARE MODE');
  for (const step of steps) {
    await killed(direction, step);
    expect(await rows(direct, PANS), step).toEqual(holds);
  }
  await direct.query('COMMIT');
}
const STEPS = [' % converted', ' % read back', ' % read back', 'ALTER TABLE "public"."cards" ALTER'];

test('a column is sealed, read the same through the proxy, and comes back as it was', async () => {
  const before = [await rows(direct, PANS), await shape()];
  const [plain, looks] = before;
  const dry = await must(move('seal', '--dry-run'));
  expect(dry.stdout).toContain('ALTER COLUMN "pan" TYPE character varying(19) COLLATE pg_catalog."C" USING');
  expect(await rows(direct, PANS)).toEqual(plain);
  const { stdout } = await must(move('seal'));
  expect(stdout).toContain('3000 rows read back and found equal');
  expect(await mark()).toEqual([[SEALED]]);
  expect(await shape()).toEqual(looks);
  const stored = await rows(direct, PANS);
  for (const [index, row] of stored.entries()) {
    const [was, is] = [plain?.[index], row].map((pair) => (pair as readonly [number, string])[1]); // id and pan
    expect(is).not.toBe(was);
    expect(is).toMatch(/^4000\d{10}/);
    expect(is?.slice(-2)).toBe(was?.slice(-2));
  }
  await direct.query('CHECKPOINT');
  expect(await filesWith('4000000000015838')).toEqual([]);
  expect((await must(move('seal'))).stdout).toContain('sealed already');
  expect(await rows(direct, PANS)).toEqual(stored);
  await must(
    installation.run('postgres', 'seal', 'public.cards.note', '--user', 'owner', '--password-file', 'owner.password'),
  );
  await throughProxy(async (client) => {
    expect(await rows(client, PANS)).toEqual(plain);
    expect(await rows(client, "SELECT id, note FROM cards WHERE pan = '4000000000007919'")).toEqual([[1, 'note 1']]);
    await client.query("INSERT INTO cards VALUES (4000, '4000123456789012', 'a new note')");
    await expect(client.query("INSERT INTO cards VALUES (4001, '4000123456789012', 'twice')")).rejects.toMatchObject({
      code: '23505',
    });
  });
  // What was never there in clear; afterwards it is.
  await requireSecret(server, ['4000123456789012', 'a new note']);
  // Those that were there the server has made of itself: no statement told them.
  const log = await readFile(server.logFile ?? '', 'utf8');
  expect([log.includes('pg_catalog'), log.match(/4000000000(?:007919|015838)/u)]).toEqual([true, null]);
  await must(
    installation.run('postgres', 'unseal', 'public.cards', '--user', 'owner', '--password-file', 'owner.password'),
  );
  expect(await mark()).toEqual([]);
  expect(await rows(direct, 'SELECT pan FROM cards WHERE id = 4000')).toEqual([['4000123456789012']]);
  await direct.query('DELETE FROM cards WHERE id = 4000');
  expect([await rows(direct, PANS), await shape()]).toEqual(before);
  expect((await must(move('unseal'))).stdout).toContain('unsealed already');
});

test('a run that is killed anywhere is gone on with, and no value is sealed twice', async () => {
  const before = [await rows(direct, PANS), await shape()];
  await direct.query('BEGIN; LOCK TABLE cards IN ACCESS SHARE MODE');
  await killed('seal', 'ADD COLUMN');
  await direct.query('COMMIT');
  expect([await rows(direct, PANS), await shape(), await mark()]).toEqual([...before, []]);
  await killedAtEach('seal', STEPS, before[0]);
  expect(await mark()).toEqual([[`sealing ${SEALED}`]]);
  await isRefused();
  expect((await move('unseal')).stderr).toContain('other direction');
  expect((await must(move('seal'))).stdout).toContain('3000 rows read back and found equal');
  const stored = await rows(direct, PANS);
  const column = await attnum();

  await asBehindSwap(`sealing ${SEALED}`, column);
  await isRefused();
  expect((await must(move('seal', '--dry-run'))).stdout).toContain('sealed already');
  expect((await move('unseal')).stderr).toContain('other direction');
  expect((await must(move('seal'))).stdout).toContain('what was left to do is done');
  expect([await rows(direct, PANS), await mark()]).toEqual([stored, [[SEALED]]]);
  await asBehindSwap(undefined, column);
  await must(move('seal'));
  expect([await rows(direct, PANS), await shape(), await mark()]).toEqual([stored, before[1], [[SEALED]]]);

  await killedAtEach('unseal', STEPS, stored);
  expect(await mark()).toEqual([[`unsealing ${SEALED}`]]);
  await isRefused();
  expect((await move('seal')).stderr).toContain('other direction');
  await must(move('unseal'));
  expect([await rows(direct, PANS), await shape(), await mark()]).toEqual([...before, []]);
  await asBehindSwap(undefined, column);
  expect((await move('seal')).stderr).toContain('other direction');
  await must(move('unseal'));
  expect([await rows(direct, PANS), await shape()]).toEqual(before);
});

test('an unfinished run can be taken back, in both directions', async () => {
  const before = [await rows(direct, PANS), await shape()];
  await killedAtEach('seal', [' % read back'], before[0]);
  await must(move('seal', '--abandon'));
  expect([await rows(direct, PANS), await shape(), await mark()]).toEqual([...before, []]);
  await must(move('seal'));
  const stored = await rows(direct, PANS);
  await killedAtEach('unseal', [' % read back'], stored);
  await must(move('unseal', '--abandon'));
  expect([await rows(direct, PANS), await shape(), await mark()]).toEqual([stored, before[1], [[SEALED]]]);
  await must(move('unseal'));
});

test('what cannot be sealed, or cannot be told, is refused and nothing is changed', async () => {
  await direct.query("UPDATE cards SET pan = '4000-1' WHERE id = 5");
  const odd = await rows(direct, PANS);
  expect((await move('seal')).stderr).toMatch(/the row with ctid .*ERR_POSTGRES_VALUE_FORMAT/);
  expect(await rows(direct, PANS)).toEqual(odd);
  const [[number]] = (await attnum()) as readonly [readonly [number]]; // one row of one number
  await direct.query(`ALTER TABLE cards DROP COLUMN sealgate_moving_${number}`);
  expect((await move('seal')).stderr).toContain('its work column was dropped');
  expect((await move('seal', '--abandon')).stderr).toContain('its work column was dropped');
  await direct.query(
    "UPDATE cards SET pan = '4000000000039595' WHERE id = 5; DELETE FROM sealgate.columns WHERE column_name = 'pan'",
  );
  await must(move('seal'));
  await direct.query("UPDATE sealgate.columns SET mode = 'format-preserving digits 4 2 9' WHERE column_name = 'pan'");
  for (const direction of ['seal', 'unseal'] as const)
    expect((await move(direction)).stderr).toContain('another format or generation');
});
