/** Runs command lines in this process, in a folder of their own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { commands } from '../../src/cli/commands.ts';
import { runCommandLine } from '../../src/cli/frame/run.ts';

export type CliResult = { readonly exit: number; readonly stdout: Buffer; readonly stderr: string };

export type CliFolder = {
  readonly folder: string;
  readonly path: (name: string) => string;
  /** Words after `sealgate`. */
  readonly run: (...words: readonly string[]) => Promise<CliResult>;
  readonly [Symbol.dispose]: () => void;
};

export function cliFolder(): CliFolder {
  const folder = mkdtempSync(join(tmpdir(), 'sealgate-cli-'));
  return {
    folder,
    path: (name) => join(folder, name),
    run: (...words) => runIn(folder, words),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

async function runIn(cwd: string, words: readonly string[]): Promise<CliResult> {
  const stdout = collector();
  const stderr = collector();
  const io = {
    stdin: process.stdin,
    stdout: stdout.stream,
    stderr: stderr.stream,
    env: {},
    cwd,
    signal: new AbortController().signal,
  };
  const known = commands(() => Promise.reject(new Error('nothing is started here')));
  const exit = await runCommandLine(words, known, io);
  return { exit, stdout: stdout.bytes(), stderr: stderr.bytes().toString() };
}

function collector(): { stream: Writable; bytes: () => Buffer } {
  const chunks: Uint8Array[] = [];
  const stream = new Writable({
    write: (chunk: Uint8Array, _encoding, done) => {
      chunks.push(Uint8Array.from(chunk));
      done();
    },
  });
  return { stream, bytes: () => Buffer.concat(chunks) };
}
