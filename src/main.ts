#!/usr/bin/env node
/**
 * The `sealgate` command. Looks at the Node first: on one that is too old the rest does not even load (it lacks
 * `node:sqlite` and argon2), and that error would say nothing to a user. Hence no static import here.
 */

// By itself Node answers this signal, which some send to have logs reopened, by listening for a debugger: from then on every user of
// this machine could read keys.
process.on('SIGUSR1', () => undefined);

const NEEDED = { major: 24, minor: 7 };

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major > NEEDED.major || (major === NEEDED.major && minor >= NEEDED.minor)) {
  await import('./process.ts');
} else {
  process.stderr.write(
    `sealgate: ERR_CLI_NODE needs Node ${NEEDED.major}.${NEEDED.minor} or newer, this is ${process.versions.node}\n` +
      '  what to do: install a newer Node (https://nodejs.org), or run it by npx: npx -p node@26 -p sealgate sealgate\n',
  );
  process.exitCode = 1;
}
