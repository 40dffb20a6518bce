/** The key that a customer brought along when the object was stored (SSE-C), from a file. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { KEY_BYTES, takeKey, type CustomerKey } from '../../crypto/key-types.ts';
import type { CommandIo } from '../command.ts';
import { cannotRead, CliError } from '../errors.ts';

/** 32 bytes, as `aws s3 --sse-c-key fileb://…` takes them, or their base64 on one line. Errors: ERR_CLI_READ. */
export function readCustomerKey(name: string, { cwd }: Pick<CommandIo, 'cwd'>): CustomerKey {
  const bytes = readBytes(resolve(cwd, name), name);
  try {
    if (bytes.length === KEY_BYTES) return takeKey('CustomerKey', bytes);
    const decoded = Buffer.from(bytes.toString('latin1').trim(), 'base64');
    if (decoded.length === KEY_BYTES) return takeKey('CustomerKey', decoded);
    throw new CliError('ERR_CLI_READ', `${name} holds neither ${KEY_BYTES} bytes nor their base64`);
  } finally {
    bytes.fill(0);
  }
}

function readBytes(path: string, name: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw cannotRead(name, cause);
  }
}
