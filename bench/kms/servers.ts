/**
 * Sealgate as its users start it, and emulators of AWS KMS where they are installed: local-kms (Go) and moto (Python). Neither of them
 * checks a signature, decides by a policy or writes an audit record.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../src/cli/demo/servers.ts';
import { find, untilListening } from '../programs.ts';
import { KEY_ALIAS, POLICY } from './keys.ts';
import { ask, CREDENTIALS } from './requests.ts';

export type KmsBackend = {
  readonly name: string;
  readonly port: number;
  readonly pid: number | undefined;
  /** Whether it keeps connections open. */
  readonly isKept: boolean;
  readonly stop: () => Promise<void>;
};

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'main.ts');

const config = (port: number): string => `version: 1
keys:
  store: ./sealgate-keys.sqlite
  unseal: [{ type: keyFile, path: ./root.key }]
  access: { identities: [{ client: bench, policies: [{ name: bench, file: ./policy.json }] }] }
kms:
  listen: { host: 127.0.0.1, port: ${port} }
  clients: [{ name: bench, accessKeyId: ${CREDENTIALS.accessKeyId}, secretAccessKey: ${CREDENTIALS.secretAccessKey} }]
observe: { log: { level: warn } }
`;

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}

/** SEALGATE_BENCH_NODE_OPTIONS: for Sealgate alone, e.g. `--cpu-prof --cpu-prof-dir=/tmp/profiles`. */
export async function startSealgate(): Promise<KmsBackend> {
  const folder = await mkdtemp(join(tmpdir(), 'sealgate-bench-kms-'));
  const port = await freePort();
  const run = (words: readonly string[], execArgv: readonly string[] = []): ChildProcess =>
    spawn(process.execPath, [...execArgv, MAIN, ...words], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  await once(run(['init']), 'exit');
  await writeFile(join(folder, 'policy.json'), POLICY);
  await writeFile(join(folder, 'sealgate.yaml'), config(port));
  await once(run(['keys', 'create', '--alias', KEY_ALIAS.slice('alias/'.length)]), 'exit');
  const child = run(['up'], (process.env['SEALGATE_BENCH_NODE_OPTIONS'] ?? '').split(' ').filter(Boolean));
  await untilListening(port);
  const stop = async (): Promise<void> => {
    await ended(child);
    await rm(folder, { recursive: true, force: true });
  };
  return { name: 'sealgate', port, pid: child.pid, isKept: true, stop };
}

/** Those that are installed, each with the key. */
export async function startEmulators(say: (line: string) => void): Promise<readonly KmsBackend[]> {
  const started: KmsBackend[] = [];
  for (const { name, program, words, isKept } of EMULATORS) {
    const found = find(program);
    if (found === undefined) {
      say(`${program} is not installed, and is left out`);
      continue;
    }
    const folder = await mkdtemp(join(tmpdir(), `sealgate-bench-${name}-`));
    const port = await freePort();
    const env = { ...process.env, PORT: String(port), KMS_DATA_PATH: folder };
    const child = spawn(found, words(port), { cwd: folder, env, stdio: 'ignore' });
    await untilListening(port);
    const { KeyMetadata } = await ask(port, 'TrentService.CreateKey', {});
    const { KeyId } = KeyMetadata as { KeyId: string }; // of AWS's model
    await ask(port, 'TrentService.CreateAlias', { AliasName: KEY_ALIAS, TargetKeyId: KeyId });
    const stop = async (): Promise<void> => {
      await ended(child);
      await rm(folder, { recursive: true, force: true });
    };
    // Without kept connections it has a thread for each, which takes its CPU time with it when it ends.
    started.push({ name, port, pid: isKept ? child.pid : undefined, isKept, stop });
  }
  return started;
}

const EMULATORS = [
  { name: 'local-kms', program: 'local-kms', words: () => [], isKept: true },
  { name: 'moto', program: 'moto_server', words: (port: number) => ['-p', String(port)], isKept: false },
] as const;
