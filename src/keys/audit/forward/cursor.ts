/**
 * How far a sink has the log. Written now and then, and at the end: after a crash some records are sent again. It is only believed
 * where the record it names lies in the log where it says.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { equalBytes } from '../../../crypto/bytes.ts';
import { writeFileDurably } from '../../stores/durable-file.ts';
import type { LogReader } from '../log-reader.ts';
import { EMPTY_HEAD, lineHash, type AuditHead } from '../record.ts';

const CURSOR = z.object({ seq: z.int().min(0), offset: z.int().min(0), hash: z.string().regex(/^[0-9a-f]{64}$/) });

export function cursorPath(logPath: string, sink: string): string {
  return `${logPath}.${sink}.cursor`;
}

/** From the beginning where there is no cursor that fits the log, or its place is in a file that was moved away. */
export function readCursor(path: string, log: LogReader): AuditHead {
  try {
    const { seq, offset, hash } = CURSOR.parse(JSON.parse(readFileSync(path, 'utf8')));
    const bytes = Buffer.from(hash, 'hex');
    const line = log.lineBefore(offset);
    if (line !== undefined && equalBytes(lineHash(line), bytes)) return { seq, offset, hash: bytes };
    if (log.start > 0 && offset <= log.start) return { seq, offset, hash: bytes };
  } catch {
    // None yet, or not one of ours.
  }
  return EMPTY_HEAD;
}

export function writeCursor(path: string, { seq, offset, hash }: AuditHead): void {
  writeFileDurably(path, Buffer.from(`${JSON.stringify({ seq, offset, hash: Buffer.from(hash).toString('hex') })}\n`));
}
