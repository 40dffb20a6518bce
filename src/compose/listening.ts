/** What the operating system says when a port cannot be had, in words. */
import { CliError } from '../cli/errors.ts';

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process listens there already',
  EACCES: 'this user may not take that port',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOTFOUND: 'there is no such host',
};

/** Runs `open`; where it fails to listen, throws ERR_CLI_LISTEN with listener, address and reason. */
export async function listening<Result>(
  name: string,
  { host, port }: { readonly host: string; readonly port: number },
  open: () => Promise<Result>,
): Promise<Result> {
  try {
    return await open();
  } catch (error) {
    const code = systemCode(error);
    const reason = code === undefined ? undefined : REASONS[code];
    if (reason === undefined) throw error;
    throw new CliError('ERR_CLI_LISTEN', `${name} cannot listen on ${host}:${port}: ${reason}`, { cause: error });
  }
}

/** The code of the error, or of what caused it. */
function systemCode(error: unknown): string | undefined {
  for (let current = error; current instanceof Error; current = current.cause) {
    if ('code' in current && typeof current.code === 'string' && Object.hasOwn(REASONS, current.code))
      return current.code;
  }
  return undefined;
}
