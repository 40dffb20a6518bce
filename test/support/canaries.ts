/**
 * Whether anything that Sealgate sealed stands in clear on a server: in its data directory and WAL, in its log, among its statements. Each
 * value is looked for as text, as PostgreSQL's binary form of it, and as SQL, JSON, COPY, the log and bytea escape either.
 *
 * Short values and those of few different bytes are not looked for: any page may have them.
 */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { connectTo } from './postgres/connect.ts';
import { searchFiles } from '../../src/cli/demo/search-files.ts';
import type { TestPostgres } from './postgres/postgres.ts';

const MIN_BYTES = 8;
const MIN_DISTINCT_BYTES = 5;
/** Of a longer value its beginning, middle and end are looked for: pages and WAL records cut it anywhere. */
const MAX_BYTES = 64;
/** Enough of any suite; every form of every value is kept. */
const MAX_NEEDLES = 200_000;

export class Canaries {
  readonly #needles = new Map<string, Buffer>();
  readonly #plain = new Set<string>();

  /** A value that was sealed, in one of its forms. */
  add(value: string | Uint8Array): void {
    const bytes = Buffer.from(value);
    if (!isDistinctive(bytes) || this.#needles.has(bytes.toString('latin1'))) return;
    for (const form of formsOf(bytes)) {
      for (const piece of piecesOf(form)) {
        if (!isDistinctive(piece) || this.#needles.size >= MAX_NEEDLES) continue;
        this.#needles.set(piece.toString('latin1'), piece);
      }
    }
  }

  /** These the suite also writes where nothing is sealed, or the server has of itself: they prove nothing. */
  alsoPlain(...values: readonly (string | Uint8Array)[]): void {
    for (const value of values)
      for (const form of formsOf(Buffer.from(value)))
        for (const piece of piecesOf(form)) this.#plain.add(piece.toString('latin1'));
  }

  get needles(): readonly Uint8Array[] {
    return [...this.#needles].filter(([key]) => !this.#plain.has(key)).map(([, needle]) => needle);
  }
}

/** Free space is zeros: what has as many as the search goes by would be compared at each of its places. */
const ZEROS = Buffer.alloc(4);

function isDistinctive(piece: Buffer): boolean {
  return piece.length >= MIN_BYTES && new Set(piece).size >= MIN_DISTINCT_BYTES && !piece.includes(ZEROS);
}

function piecesOf(form: Buffer): readonly Buffer[] {
  if (form.length <= MAX_BYTES) return [form];
  const middle = (form.length - MAX_BYTES) >> 1;
  return [form.subarray(0, MAX_BYTES), form.subarray(middle, middle + MAX_BYTES), form.subarray(-MAX_BYTES)];
}

/** Cut before it is escaped: the forms of 16 MiB would take longer than the search. */
function formsOf(whole: Buffer): readonly Buffer[] {
  return piecesOf(whole).flatMap((value) => {
    const text = value.toString('utf8');
    const escaped = [
      value.toString('hex'),
      byteaEscaped(value),
      text.replaceAll("'", "''"),
      text.replaceAll('\\', '\\\\').replaceAll("'", "''"),
      copyEscaped(text),
      JSON.stringify(text).slice(1, -1),
      // The log goes on in a line of its own.
      text.replaceAll('\n', '\n\t'),
    ];
    return [value, ...escaped.map((form) => Buffer.from(form))];
  });
}

function byteaEscaped(value: Uint8Array): string {
  return [...value]
    .map((byte) => {
      if (byte === 0x5c) return '\\\\';
      return byte < 0x20 || byte > 0x7e ? `\\${byte.toString(8).padStart(3, '0')}` : String.fromCharCode(byte);
    })
    .join('');
}

const COPY_ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };
const copyEscaped = (text: string): string => text.replaceAll(/[\\\t\n\r]/gu, (one) => COPY_ESCAPES[one] ?? one);

/** From now on the server logs every statement with its parameters, and keeps all of its WAL. */
export async function watchServer(server: TestPostgres): Promise<void> {
  const root = await connectTo(server.url());
  await root.query("ALTER SYSTEM SET log_statement = 'all'");
  await root.query('ALTER SYSTEM SET log_parameter_max_length_on_error = -1');
  await root.query("ALTER SYSTEM SET wal_keep_size = '1GB'");
  await root.query('SELECT pg_reload_conf()');
  const isWatched = async (): Promise<boolean> =>
    (await root.query<{ log_statement: string }>('SHOW log_statement')).rows[0]?.log_statement === 'all';
  while (!(await isWatched())) await delay(10);
  await root.end();
}

/**
 * For suites whose sealing is another process's: throws where one of these values, which they had sealed, stands in clear on the server. Call
 * `watchServer` before they are written.
 */
export async function requireSecret(server: TestPostgres, values: readonly string[]): Promise<void> {
  const canaries = new Canaries();
  for (const value of values) {
    if (!isDistinctive(Buffer.from(value))) throw new Error(`"${value}" may stand anywhere`);
    canaries.add(value);
  }
  const found = await findCanaries(server, canaries);
  if (found.length > 0) throw new Error(`what was sealed stands in clear on the server:\n${found.join('\n')}`);
}

/** Where canaries stand: files of the server with the offset, or `pg_stat_statements`. */
export async function findCanaries(server: TestPostgres, canaries: Canaries): Promise<readonly string[]> {
  const { needles } = canaries;
  const { logFile } = server;
  if (logFile === undefined) throw new Error('the log of this server is not kept');
  if (needles.length === 0) return [];
  const root = await connectTo(server.url());
  try {
    await root.query('CHECKPOINT');
    await untilLogged(logFile, root);
    await root.query('CREATE EXTENSION IF NOT EXISTS pg_stat_statements');
    const { rows } = await root.query<{ query: string }>('SELECT query FROM pg_stat_statements');
    const statements = Buffer.from(rows.map(({ query }) => query).join('\n'));
    const told = needles.find((needle) => statements.includes(needle));
    const found = (
      await Promise.all([searchFiles(server.dataDirectory, needles), searchFiles(dirname(logFile), needles)])
    ).flatMap((searched) => searched.found);
    return [
      ...found.map(({ file, offset, needle }) => `${shown(needle)} in ${file} at ${offset}`),
      ...(told === undefined ? [] : [`${shown(told)} in pg_stat_statements`]),
    ];
  } finally {
    await root.end();
  }
}

/** What the server logs comes over a pipe: all that was said before this is in the file once this is. */
async function untilLogged(logFile: string, root: pg.Client): Promise<void> {
  const mark = randomUUID();
  await root.query(`SELECT '${mark}'`);
  while (!(await readFile(logFile)).includes(mark)) await delay(20);
}

function shown(needle: Uint8Array): string {
  const text = Buffer.from(needle).toString('utf8');
  return /^[\x20-\x7e]*$/u.test(text) ? `"${text}"` : `\\x${Buffer.from(needle).toString('hex')}`;
}
