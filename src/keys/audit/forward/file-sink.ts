/** A second copy of the log, such as on another volume: appended to, and synced before it counts. */
import { open, type FileHandle } from 'node:fs/promises';
import type { AuditSink } from './sink.ts';

export function fileSink(path: string): AuditSink {
  return {
    async send(lines) {
      // Opened for each batch: a copy that was moved away (log rotation) goes on in a new file.
      const file = await open(path, 'a', 0o600);
      try {
        // A volume that is full, or a machine that stopped, left half a record: what comes now would be the rest of its line.
        const before = (await endsInsideLine(path, file)) ? [LINE_END] : [];
        await file.appendFile(Buffer.concat([...before, ...lines.flatMap(({ bytes }) => [bytes, LINE_END])]));
        await file.datasync();
      } finally {
        await file.close();
      }
    },
    close: async () => undefined,
  };
}

const LINE_END = Buffer.from('\n');

/** True as well where it may not be read: an empty line does no harm. */
async function endsInsideLine(path: string, appended: FileHandle): Promise<boolean> {
  const status = await appended.stat();
  if (!status.isFile() || status.size === 0) return false;
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch {
    return true;
  }
  try {
    const last = Buffer.alloc(1);
    await file.read(last, 0, 1, status.size - 1);
    return !last.equals(LINE_END);
  } finally {
    await file.close();
  }
}
