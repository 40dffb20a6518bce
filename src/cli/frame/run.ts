/** The frame: parses the command line, shows help, runs the command, reports its error. Never throws. */
import type { Writable } from 'node:stream';
import { nearest } from '../../config/nearest.ts';
import { EXIT, OutputEnded, type Command, type CommandIo } from '../command.ts';
import { commandHelp, groupHelp, overviewHelp } from './help.ts';
import { parseCommandLine, type Invocation } from './parse.ts';
import { reportError } from './report-error.ts';
import { readVersion } from './version.ts';

/** The process's exit code. Errors go to stderr as `sealgate: CODE message`; `SEALGATE_DEBUG=1` adds stack traces. */
export async function runCommandLine(
  words: readonly string[],
  commands: readonly Command[],
  io: CommandIo,
): Promise<number> {
  try {
    return await run(parseCommandLine(words, commands, nearest), commands, io);
  } catch (error) {
    if (isInterruption(error, io.signal)) return io.signal.reason === 'SIGINT' ? EXIT.sigint : EXIT.sigterm;
    if (error instanceof OutputEnded) return EXIT.ok;
    const { text, exit } = reportError(error, (io.env['SEALGATE_DEBUG'] ?? '') !== '');
    await write(io.stderr, text);
    return exit;
  }
}

/** The signal itself, as whatever heeded it gives it on: any other error is told, also when it comes after a signal. */
function isInterruption(error: unknown, { aborted, reason }: AbortSignal): boolean {
  return aborted && (error === reason || (error instanceof Error && error.name === 'AbortError'));
}

async function run(invocation: Invocation, commands: readonly Command[], io: CommandIo): Promise<number> {
  switch (invocation.type) {
    case 'run':
      return invocation.command.run(invocation.args, io);
    case 'overview':
      return say(io, overviewHelp(commands));
    case 'group':
      return say(io, groupHelp(invocation.words, invocation.commands));
    case 'help':
      return say(io, commandHelp(invocation.command));
    case 'version':
      return say(io, `sealgate ${await readVersion()}\n`);
  }
}

async function say(io: CommandIo, text: string): Promise<number> {
  await write(io.stdout, text);
  return EXIT.ok;
}

/** Resolves when the text has gone out; a reader that went away (`| head`) is no failure of ours. */
function write(stream: Writable, text: string): Promise<void> {
  return new Promise((resolve) => {
    stream.write(text, () => {
      resolve();
    });
  });
}
