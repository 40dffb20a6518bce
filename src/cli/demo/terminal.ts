/** What the demo prints: headings, progress, aligned tables, claims. Plain text; colour only on a terminal. */
import type { Writable } from 'node:stream';

const WIDTH = 100;

export type Terminal = {
  readonly heading: (text: string) => void;
  readonly line: (text?: string) => void;
  /** A long step: shows what runs, then how long it took. Rejects before it begins once the demo is to stop. */
  readonly step: <Result>(
    text: string,
    work: (progress: (fraction: number) => void) => Promise<Result>,
  ) => Promise<Result>;
  /** Rows under their column names; cells are cut to fit. */
  readonly table: (rows: readonly Readonly<Record<string, unknown>>[], maxCell?: number) => void;
  readonly claim: (holds: boolean, text: string) => void;
};

/** One line per cell, whatever is in it: a control character must not drive the reader's terminal. */
function cellText(value: unknown, max: number): string {
  const text =
    value === null
      ? 'NULL'
      : typeof value === 'string'
        ? value
        : typeof value === 'number'
          ? String(value)
          : JSON.stringify(value);
  const clean = text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '·');
  return clean.length > max ? `${clean.slice(0, max - 1)}…` : clean;
}

function formatTable(rows: readonly Readonly<Record<string, unknown>>[], maxCell: number): readonly string[] {
  const names = Object.keys(rows[0] ?? {});
  const cells = [names, ...rows.map((row) => names.map((name) => cellText(row[name], maxCell)))];
  const widths = names.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const numeric = names.map((name) => rows.every((row) => typeof row[name] === 'number'));
  const pad = (cell: string, column: number): string =>
    numeric[column] === true ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0);
  const format = (row: readonly string[]): string => `  ${row.map(pad).join('  ')}`.trimEnd();
  const [head = [], ...body] = cells;
  return [format(head), `  ${widths.map((width) => '─'.repeat(width)).join('  ')}`, ...body.map(format)];
}

export function createTerminal(out: Writable & { readonly isTTY?: boolean }, signal: AbortSignal): Terminal {
  const tty = out.isTTY === true;
  const paint = (code: number, text: string): string => (tty ? `\u001b[${code}m${text}\u001b[0m` : text);
  const line = (text = ''): void => void out.write(`${text}\n`);
  return {
    line,
    heading: (text) => line(`\n${paint(1, text)}\n${'─'.repeat(Math.min(WIDTH, text.length))}`),
    step: async (text, work) => {
      signal.throwIfAborted();
      const started = performance.now();
      // A pipe gets one line per step; a terminal sees it move.
      const progress = (fraction: number): void =>
        void (tty && out.write(`\r  ${text} … ${Math.round(fraction * 100)} %  `));
      if (tty) out.write(`  ${text} …`);
      const result = await work(progress);
      const took = `${((performance.now() - started) / 1000).toFixed(1)} s`;
      out.write(`${tty ? '\r' : ''}  ${text} … done (${took})${' '.repeat(8)}\n`);
      return result;
    },
    table: (rows, maxCell = 44) => formatTable(rows, maxCell).forEach((text) => line(text)),
    claim: (holds, text) => line(`  ${holds ? paint(32, 'ok  ') : paint(31, 'FAIL')} ${text}`),
  };
}
