/**
 * The check of a store's file at a start. Of a large store, grants make most of it, and none of them is read then: the check takes nearly a
 * second with a million, so it runs on a thread of its own while the rows are read and authenticated. Nothing is believed before both
 * are done.
 */
import { statSync } from 'node:fs';
import { extname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { Worker } from 'node:worker_threads';
import { KeysError, type KeysErrorCode } from '../errors.ts';
import { CHECK_BESIDE_BYTES } from '../limits.ts';
import { guarded } from './database-file.ts';
import { checkIntegrity } from './integrity.ts';

export type CheckResult =
  { readonly type: 'sound' } | { readonly type: 'refused'; readonly code: KeysErrorCode; readonly message: string };

type CheckOptions = {
  /** Files so large are checked on a thread. */
  readonly besideBytes?: number;
  /** What that thread runs. */
  readonly program?: URL;
};

/** Rejects with ERR_KEYS_STORE_DAMAGED or ERR_KEYS_STORE_UNAVAILABLE, perhaps while nobody waits for it yet. */
export function startCheck(path: string, database: DatabaseSync, options: CheckOptions = {}): Promise<void> {
  const checked = check(path, database, options);
  checked.catch(() => undefined);
  return checked;
}

async function check(path: string, database: DatabaseSync, options: CheckOptions): Promise<void> {
  const { besideBytes = CHECK_BESIDE_BYTES, program = workerFile() } = options;
  const result = statSync(path).size < besideBytes ? undefined : await checkBeside(path, program);
  // A thread that could not be had has said nothing.
  if (result === undefined) guarded(path, () => checkIntegrity(path, database, 'quick'));
  else if (result.type === 'refused') throw new KeysError(result.code, result.message);
}

/** Beside this file, as source or built. */
function workerFile(): URL {
  return new URL(`./integrity-worker${extname(import.meta.filename)}`, import.meta.url);
}

function checkBeside(path: string, program: URL): Promise<CheckResult | undefined> {
  return new Promise((resolve) => {
    const worker = new Worker(program, { workerData: path });
    worker.on('message', (result: CheckResult) => resolve(result));
    for (const end of ['error', 'messageerror', 'exit']) worker.on(end, () => resolve(undefined));
  });
}
