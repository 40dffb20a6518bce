/** The `sealgate` command, on a Node that can run it: hands the process's world to the frame. What runs is composed in `compose.ts`. */
import { commands } from './cli/commands.ts';
import { CliError } from './cli/errors.ts';
import { reportError } from './cli/frame/report-error.ts';
import { runCommandLine } from './cli/frame/run.ts';
import type { Start } from './cli/start.ts';

/** Ctrl-C reaches us once from the terminal and again through the process that started us: that is one wish. */
const SAME_SIGNAL_MS = 1000;
/** For what was written and has not gone out yet. */
const LAST_WORDS_MS = 1000;

const stop = new AbortController();
let stoppedAt = 0;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    const now = performance.now();
    // A second wish does not wait for an orderly end.
    if (stop.signal.aborted && now - stoppedAt > SAME_SIGNAL_MS) process.exit(signal === 'SIGINT' ? 130 : 143);
    if (!stop.signal.aborted) stoppedAt = now;
    stop.abort(signal);
  });
}
let outputFailure: CliError | undefined;
process.stdout.on('error', (cause: NodeJS.ErrnoException) => {
  // `sealgate … | head`: the reader has what it wanted.
  if (cause.code === 'EPIPE' || outputFailure !== undefined) return;
  outputFailure = new CliError('ERR_CLI_WRITE', `stdout cannot be written: ${String(cause.code)}`, { cause });
  const { text, exit } = reportError(outputFailure, false);
  process.stderr.write(text);
  process.exitCode = exit;
});
// Nobody is left to be told.
process.stderr.on('error', () => undefined);

/** Loads the listeners' rooms only when they are to run. */
const start: Start = async (config, options) => (await import('./compose.ts')).start(config, options);

const exitCode = await runCommandLine(process.argv.slice(2), commands(start), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  signal: stop.signal,
});
process.exitCode ??= exitCode;
// Told to stop, it does not wait for a reader that takes nothing any more; but for one that still does.
if (stop.signal.aborted) setTimeout(() => process.exit(), LAST_WORDS_MS).unref();
