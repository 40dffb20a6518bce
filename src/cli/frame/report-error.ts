/** How an error that ends a command looks on stderr, and which exit code it gives. */
import { SealgateError } from '../../errors.ts';
import { EXIT } from '../command.ts';
import { catalogueEntry } from './catalogue.ts';

export type ErrorReport = { readonly text: string; readonly exit: number };

/** `debug`: with stack traces and causes, for developers. */
export function reportError(error: unknown, debug: boolean): ErrorReport {
  // `instanceof` gives the class with its code's type left open.
  const known: SealgateError | undefined = error instanceof SealgateError ? (error as SealgateError) : undefined;
  const code = known?.code ?? 'ERR_CLI_BUG';
  const entry = catalogueEntry(code);
  const message =
    known?.message ??
    (error instanceof Error ? `${error.name}: ${error.message}` : 'something that is no error was thrown');
  const lines = [`sealgate: ${code} ${message}`];
  if (entry !== undefined) lines.push(`  what to do: ${entry.fix}`);
  lines.push(`  more: docs/ERRORS.md#${code.toLowerCase()}`);
  if (debug) lines.push(...traces(error));
  return { text: `${lines.join('\n')}\n`, exit: entry?.exit ?? exitOf(code) };
}

/** Rooms that leave the exit code open have one by what failed. */
function exitOf(code: string): number {
  if (code.startsWith('ERR_KEYS_')) return EXIT.keys;
  return /_UNREACHABLE$|_UPSTREAM_/u.test(code) ? EXIT.upstream : EXIT.failure;
}

function traces(error: unknown): readonly string[] {
  const lines: string[] = [];
  for (let current = error; current instanceof Error && lines.length < 10; current = current.cause) {
    lines.push(`  ${(current.stack ?? current.message).replaceAll('\n', '\n  ')}`);
  }
  return lines;
}
