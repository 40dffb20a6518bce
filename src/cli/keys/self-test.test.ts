/** A primitive that computes wrong, in the command as it is run. */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { cliFolder } from '../../../test/support/cli.ts';
import { sealgate } from '../../../test/support/run.ts';

/** Every MAC comes out with its first bit turned, as from a processor that computes wrong. */
const BROKEN_HMAC = `
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
const { createHmac } = crypto;
crypto.createHmac = (...given) => {
  const hmac = createHmac(...given);
  const { digest } = hmac;
  hmac.digest = (...form) => {
    const bytes = digest.apply(hmac, form);
    bytes[0] ^= 128;
    return bytes;
  };
  return hmac;
};
syncBuiltinESMExports();
`;

test.each([
  ['keys', 'create'],
  ['keys', 'list'],
  ['keys', 'backup', 'b'],
  ['keys', 'verify-backup', 'made'],
  ['up', '--drain', '1'],
])('no key is used by %s %s', async (...words) => {
  using cli = cliFolder();
  expect((await cli.run('init')).exit).toBe(0);
  expect((await cli.run('keys', 'backup', 'made')).exit).toBe(0);
  writeFileSync(cli.path('broken.mjs'), BROKEN_HMAC);
  const store = readFileSync(cli.path('sealgate-keys.sqlite'));
  const env = { ...process.env, NODE_OPTIONS: `--import ${cli.path('broken.mjs')}` };
  const { code, stderr } = await sealgate(words, { cwd: cli.folder, env }).done;
  expect([code, stderr]).toEqual([5, expect.stringContaining('ERR_CRYPTO_SELF_TEST')]);
  expect(stderr).toContain('HMAC-SHA-256');
  expect(readFileSync(cli.path('sealgate-keys.sqlite'))).toEqual(store);
});
