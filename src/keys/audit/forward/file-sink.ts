/** A second copy of the log, such as on another volume: appended to, and synced before it counts. */
import { open } from 'node:fs/promises';
import type { AuditSink } from './sink.ts';

export function fileSink(path: string): AuditSink {
  return {
    async send(lines) {
      // Opened for each batch: a copy that was moved away (log rotation) goes on in a new file.
      const file = await open(path, 'a', 0o600);
      try {
        await file.appendFile(Buffer.concat(lines.flatMap(({ bytes }) => [bytes, LINE_END])));
        await file.datasync();
      } finally {
        await file.close();
      }
    },
    close: async () => undefined,
  };
}

const LINE_END = Buffer.from('\n');
