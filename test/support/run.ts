/** Runs programs for tests: the `sealgate` command from the sources, and ordinary clients where they are installed. */
import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

export type Ran = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

export type Program = {
  readonly child: ChildProcess;
  readonly done: Promise<Ran>;
  /** Resolves when standard output holds `text`; rejects when the program ends before. */
  readonly untilSays: (text: string) => Promise<void>;
  /** Its standard output so far. */
  readonly said: () => string;
  /** Its standard error so far: the log. */
  readonly logged: () => string;
};

export function start(program: string, words: readonly string[], options: SpawnOptions = {}): Program {
  const child = spawn(program, words, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString('utf8')));
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
  const done = once(child, 'close').then(([code]): Ran => ({ code: code as number | null, stdout, stderr }));
  return {
    child,
    done,
    said: () => stdout,
    logged: () => stderr,
    untilSays: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (stdout.includes(text)) resolve();
        };
        child.stdout?.on('data', look);
        void done.then((ran) =>
          reject(new Error(`ended with ${String(ran.code)} before "${text}": ${ran.stderr || ran.stdout}`)),
        );
        look();
      }),
  };
}

const main = join(import.meta.dirname, '..', '..', 'src', 'main.ts');

/** `sealgate <words>`, from the sources. */
export function sealgate(words: readonly string[], options: SpawnOptions = {}): Program {
  return start(process.execPath, [main, ...words], options);
}
