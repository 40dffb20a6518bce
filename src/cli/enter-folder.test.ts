import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { enterFolder } from './enter-folder.ts';

test.each(['etc/gate', 'v1.2_a-b:c'])('A usual name is itself: %s', (name) => {
  expect(enterFolder(name, 'linux')).toBe(`cd ${name}`);
});

test.each(['gate', String.raw`a\b`, '-x', '-', '--', "-a b/o'd", '~', '$HOME', '*', 'ü', 'a\nb', String.raw`a\'b`])(
  'A shell enters %j by what is pasted',
  { skip: process.platform === 'win32' },
  (name) => {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'sealgate-enter-')));
    try {
      mkdirSync(join(folder, name), { recursive: true });
      for (const shell of ['sh', 'bash']) {
        const entered = execFileSync(shell, ['-c', `${enterFolder(name, process.platform)}\npwd`], {
          cwd: folder,
          env: { ...process.env, OLDPWD: tmpdir() },
          encoding: 'utf8',
        });
        expect(entered).toBe(`${join(folder, name)}\n`);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

test('On Windows a backslash is part of a usual name', () => {
  expect(enterFolder(String.raw`C:\gate\etc`, 'win32')).toBe(String.raw`cd C:\gate\etc`);
});
