/** The `sealgate` command, on a Node that can run it: hands the process's world to the frame. What runs is composed in `compose.ts`. */
import { commands } from './cli/commands.ts';
import { runCommandLine } from './cli/frame/run.ts';
import type { Start } from './cli/start.ts';

/** Ctrl-C reaches us once from the terminal and again through the process that started us: that is one wish. */
const SAME_SIGNAL_MS = 1000;

const stop = new AbortController();
let stoppedAt = 0;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    const now = performance.now();
    // A second wish does not wait for an orderly end.
    if (stop.signal.aborted && now - stoppedAt > SAME_SIGNAL_MS) process.exit(signal === 'SIGINT' ? 130 : 143);
    if (!stop.signal.aborted) stoppedAt = now;
    stop.abort();
  });
}
// `sealgate … | head`: the reader is gone, and nobody is left to be told.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

/** Loads the listeners' rooms only when they are to run. */
const start: Start = async (config, options) => (await import('./compose.ts')).start(config, options);

process.exitCode = await runCommandLine(process.argv.slice(2), commands(start), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  signal: stop.signal,
});
