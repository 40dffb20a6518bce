/**
 * A config in 32 bytes, its secrets included: whether two processes run the same one. Not to be logged: a weak secret could be guessed by it.
 * Certificates, their keys and revocation lists come anew while the processes run, and do not count, wherever they stand.
 */
import { createHash } from 'node:crypto';
import type { Config } from './config.ts';
import { Secret } from './secret.ts';

export function configDigest(config: Config): string {
  const text = JSON.stringify(config, function (this: Readonly<Record<string, unknown>>, key, value: unknown) {
    // `value` is what `toJSON` made of it, which tells no secret.
    const held = this[key];
    const content = held instanceof Secret ? held.reveal() : value;
    if (typeof content === 'string' && content.includes('-----BEGIN ')) return ['pem'];
    return held instanceof Secret ? ['secret', content] : value;
  });
  return createHash('sha256').update(text).digest('base64');
}
