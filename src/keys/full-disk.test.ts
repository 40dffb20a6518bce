/**
 * A disk that fills up and frees itself, by the kernel's own means: the limit on how long a process's files may grow (setrlimit,
 * RLIMIT_FSIZE), moved from outside while it runs. Writes fail with EFBIG where a full disk gives ENOSPC; the rest is the same.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { keyFolder, type KeyFolder } from '../../test/support/keys/keys.ts';
import { missing } from '../../test/support/programs.ts';
import { skipBecause } from '../../test/support/skip.ts';
import { readKeys, verifyAudit } from './offline.ts';

const CHILD = fileURLToPath(new URL('../../test/support/keys/keys-limited-child.ts', import.meta.url));

skipBecause(missing('prlimit', 'bash'));

class Owner {
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;

  constructor(keys: KeyFolder) {
    this.#child = spawn(process.execPath, [CHILD, JSON.stringify(keys.options)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const { stdout } = this.#child;
    if (stdout === null) throw new Error('no stdout');
    this.#answers = createInterface({ input: stdout })[Symbol.asyncIterator]();
  }

  async answer(): Promise<string> {
    const { value, done } = await this.#answers.next();
    return done === true ? 'ended' : value;
  }

  ask(word: string): Promise<string> {
    this.#child.stdin?.write(`${word}\n`);
    return this.answer();
  }

  /** Files may grow to `bytes`, or as they like. */
  limit(bytes: number | 'unlimited'): void {
    execFileSync('prlimit', ['--pid', String(this.#child.pid), `--fsize=${bytes}:unlimited`]);
  }

  async end(): Promise<void> {
    this.#child.stdin?.end();
    if (this.#child.exitCode === null) await once(this.#child, 'exit');
  }
}

test('No use is answered while it cannot be recorded; readiness says so, and all goes on when there is room', async () => {
  await using keys = await keyFolder();
  const owner = new Owner(keys);
  expect(await owner.answer()).toBe('ok');
  expect(await owner.ask('use')).toBe('ok');
  const { size } = statSync(keys.options.audit.path);
  // In the middle of the next record: what is half written must go again.
  owner.limit(size + 100);
  expect(await owner.ask('use')).toBe('ERR_KEYS_AUDIT_UNAVAILABLE');
  expect(await owner.ask('use-now')).toBe('ERR_KEYS_AUDIT_UNAVAILABLE');
  expect(await owner.ask('ready')).toBe('ERR_KEYS_AUDIT_UNAVAILABLE');
  expect(statSync(keys.options.audit.path).size).toBe(size);
  owner.limit('unlimited');
  // Nobody asks for keys where a load balancer sees 503: readiness finds out by itself.
  expect(await owner.ask('ready')).toBe('ok');
  expect(await owner.ask('use')).toBe('ok');
  expect(await owner.ask('use-now')).toBe('ok');
  expect(await owner.ask('close')).toBe('ok');
  await owner.end();
  expect(await verifyAudit(keys.options)).toMatchObject({ problem: undefined, unfinishedBytes: 0 });
});

test('Where a disk fills up in the middle of uses that are recorded together, none of them is answered and none recorded', async () => {
  await using keys = await keyFolder();
  const owner = new Owner(keys);
  expect(await owner.answer()).toBe('ok');
  expect(await owner.ask('use-many')).toBe('ok');
  const { size } = statSync(keys.options.audit.path);
  // Some hundred of the three hundred records have room.
  owner.limit(size + 60_000);
  expect(await owner.ask('use-many')).toBe('ERR_KEYS_AUDIT_UNAVAILABLE');
  expect(statSync(keys.options.audit.path).size).toBe(size);
  owner.limit('unlimited');
  expect(await owner.ask('use-many')).toBe('ok');
  expect(await owner.ask('close')).toBe('ok');
  await owner.end();
  const report = await verifyAudit(keys.options);
  expect(report).toMatchObject({ problem: undefined, gaps: [], unfinishedBytes: 0 });
  // Two of making the key, two uses at the start, the two lots that were answered, and the checkpoint of the end.
  expect(report.records).toBe(4 + 600 + 1);
});

test('A key that does not fit is not acknowledged, and those before it stay', async () => {
  await using keys = await keyFolder();
  const owner = new Owner(keys);
  expect(await owner.answer()).toBe('ok');
  expect(await owner.ask('create')).toBe('ok');
  owner.limit(statSync(`${keys.options.storePath}-wal`).size + 3000);
  expect(await owner.ask('create')).toBe('ERR_KEYS_STORE_WRITE');
  expect(await owner.ask('use')).toBe('ok');
  expect(await owner.ask('backup')).toBe('ERR_KEYS_BACKUP_WRITE');
  owner.limit('unlimited');
  expect(await owner.ask('create')).toBe('ok');
  expect(await owner.ask('close')).toBe('ok');
  await owner.end();
  expect(await readKeys(keys.options, Date.now)).toHaveLength(3);
  expect(readdirSync(keys.folder).filter((name) => name.includes('backup'))).toEqual([]);
});

test('A change whose epoch cannot be written is not acknowledged, nothing more is changed, and the next start goes on', async () => {
  await using keys = await keyFolder();
  const owner = new Owner(keys);
  expect(await owner.answer()).toBe('ok');
  // Where the epoch file's successor is written stands something that cannot be replaced.
  mkdirSync(`${keys.options.storePath}.epoch.new`);
  expect(await owner.ask('create')).toBe('ERR_KEYS_STORE_WRITE');
  rmdirSync(`${keys.options.storePath}.epoch.new`);
  expect(await owner.ask('create')).toBe('ERR_KEYS_STORE_WRITE');
  expect(await owner.ask('use')).toBe('ok');
  // An orderly end must not write what memory holds over what the disk holds.
  expect(await owner.ask('close')).toBe('ok');
  await owner.end();
  await (await keys.open()).close();
  expect(await readKeys(keys.options, Date.now)).toHaveLength(2);
});

test('A store that cannot be made leaves nothing behind, so that it can be made later', async () => {
  await using keys = await keyFolder();
  writeFileSync(keys.path('make.ts'), '');
  const made = `import { createKeyStore } from ${JSON.stringify(new URL('./key-manager.ts', import.meta.url).href)};
    import { testPorts } from ${JSON.stringify(new URL('../../test/support/keys/keys.ts', import.meta.url).href)};
    try { await createKeyStore(JSON.parse(process.argv[1]), testPorts); console.log('ok'); } catch (error) { console.log(error.code); }`;
  const options = { ...keys.options, storePath: keys.path('second.sqlite') };
  const make = (bytes: number): string =>
    execFileSync(
      'bash',
      [
        '-c',
        `ulimit -f ${Math.ceil(bytes / 1024)}; exec "$0" "$@"`,
        process.execPath,
        '--input-type=module',
        '-e',
        made,
        JSON.stringify(options),
      ],
      {
        encoding: 'utf8',
      },
    ).trim();
  for (const bytes of [0, 8192, 40_000]) {
    expect(make(bytes)).toMatch(/^ERR_KEYS_STORE_(WRITE|UNAVAILABLE)$/);
    expect(readdirSync(keys.folder).filter((name) => /^second\.sqlite(?!\.lock)/.test(name))).toEqual([]);
  }
  expect(make(10_000_000)).toBe('ok');
});

test('An audit log is not put aside where the next file has no room for its first record', async () => {
  await using keys = await keyFolder();
  const folder = keys.path('trail');
  mkdirSync(folder);
  const script = `import { LogFile, openLogFile } from ${JSON.stringify(new URL('./audit/log-file.ts', import.meta.url).href)};
    const path = process.argv[1] + '/log';
    const log = new LogFile(path, openLogFile(path), { start: 0, firstSeq: 1 });
    log.append(Buffer.from('one\\n'));
    try { log.rotate({ seq: 1, offset: 4 }, Buffer.alloc(2000)); } catch (error) { console.log(error.code); }
    log.append(Buffer.from('two\\n'));
    log.rotate({ seq: 2, offset: 8 }, Buffer.from('three\\n'));
    log.append(Buffer.from('four\\n'));
    await log.close();`;
  const limited = ['-c', 'ulimit -f 1; exec "$0" "$@"', process.execPath, '--input-type=module', '-e', script, folder];
  expect(execFileSync('bash', limited, { encoding: 'utf8' }).trim()).toBe('EFBIG');
  const files = readdirSync(folder).toSorted();
  expect(files).toEqual(['log', 'log.0000000000000001']);
  expect(files.map((name) => readFileSync(`${folder}/${name}`, 'utf8'))).toEqual(['three\nfour\n', 'one\ntwo\n']);
});
