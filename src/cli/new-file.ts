/** Files that a command writes: new, whole and durable, or not there at all. */
import { randomBytes } from 'node:crypto';
import { link, open, rm, type FileHandle } from 'node:fs/promises';
import { CliError } from './errors.ts';

/**
 * Has `write` fill a file (mode 0600) that gets its name once it is durable, and never over another. Errors: ERR_CLI_EXISTS,
 * ERR_CLI_WRITE, and what `write` throws.
 */
export async function writeNewFile(path: string, write: (file: FileHandle) => Promise<void>): Promise<void> {
  const aside = `${path}.${randomBytes(6).toString('hex')}.partial`;
  const file = await open(aside, 'wx', 0o600).catch((cause: unknown) => {
    throw cannotWrite(path, cause);
  });
  try {
    try {
      await write(file);
      await file.sync();
    } finally {
      await file.close();
    }
    await link(aside, path);
  } catch (error) {
    throw isWriteError(error) ? cannotWrite(path, error) : error;
  } finally {
    await rm(aside, { force: true });
  }
}

/** Of the operating system, and not of what `write` reads. */
const isWriteError = (error: unknown): boolean =>
  error instanceof Error && 'syscall' in error && error.syscall !== 'read';

export function cannotWrite(path: string, cause: unknown): CliError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown reason';
  if (code === 'EEXIST')
    return new CliError('ERR_CLI_EXISTS', `${path} exists already; it was left as it is`, { cause });
  return new CliError('ERR_CLI_WRITE', `${path} cannot be written: ${code}`, { cause });
}
