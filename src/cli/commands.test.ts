import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { start } from '../../test/support/run.ts';

const COMMANDS = new URL('commands.ts', import.meta.url).href;
/** Prints the packages that the table of commands loads. */
const LOADER = `
import { registerHooks } from 'node:module';
const found = new Set();
registerHooks({ resolve: (name, context, next) => {
  const answer = next(name, context);
  const [, inPackages] = answer.url.split('/node_modules/');
  if (inPackages !== undefined) found.add(/^(?:@[^/]+\\/)?[^/]+/u.exec(inPackages)[0]);
  return answer;
} });
await import(${JSON.stringify(COMMANDS)});
console.log(JSON.stringify([...found].sort()));`;

test('the table loads the packages of the config and of names of keys: what else a command needs it loads when it runs', async () => {
  const words = ['--input-type=module', '--eval', LOADER];
  const { code, stdout, stderr } = await start(process.execPath, words, { cwd: fileURLToPath(new URL('.', COMMANDS)) })
    .done;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const config = ['yaml', 'zod'];
  const keys = ['@noble/curves', '@noble/hashes', '@noble/post-quantum'];
  expect(JSON.parse(stdout)).toEqual([...keys, ...config]);
});
