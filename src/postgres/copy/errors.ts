/** What is wrong with the data of a COPY: the server's own SQLSTATEs and texts, and where it stands; never a value. */
import { PostgresError } from '../errors.ts';
import type { Refusal } from '../plan.ts';

/** bad_copy_file_format. */
const BAD_FORMAT = '22P04';

export function badCopyData(message: string, hint?: string): PostgresError {
  return new PostgresError('ERR_POSTGRES_COPY_DATA', message, {
    sqlstate: BAD_FORMAT,
    ...(hint !== undefined && { hint }),
  });
}

export type CopyPlace = {
  readonly table: string;
  /** From 1, as the server counts lines. */
  readonly line: number;
  readonly column?: string | undefined;
};

/** The CONTEXT the server gives errors in COPY FROM, without the value it adds. */
export function contextOf({ table, line, column }: CopyPlace): string {
  return `COPY ${table}, line ${line}${column === undefined ? '' : `, column ${column}`}`;
}

/** CONTEXT of the server, without what it quotes: a value, or the whole line. Undefined where it is none of COPY FROM. */
export function scrubContext(context: string): string | undefined {
  const [first = ''] = context.split('\n');
  return /^COPY .*?, \S+ \d+(?:, \S+ [^:]*)?(?=:|$)/u.exec(first)?.[0];
}

/** character_not_in_repertoire: found by the server while it reads a line, before it knows of columns. */
const BAD_ENCODING = '22021';

/** A refusal of rows, at their place. */
export function refusedAt(refusal: Refusal, place: CopyPlace | undefined): Refusal {
  if (place === undefined) return refusal;
  return {
    ...refusal,
    context: contextOf(refusal.sqlstate === BAD_ENCODING ? { ...place, column: undefined } : place),
  };
}
