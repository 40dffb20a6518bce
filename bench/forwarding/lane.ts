/**
 * `npm run bench -- forwarding`: which library carries requests on? http-proxy-3 (the maintained fork of http-proxy), undici as people call
 * it, and undici's lowest interface as the gateway calls it, each bare between the same client and the same store: no signature, no rule.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import type { BenchOptions } from '../options.ts';
import { startBackend } from '../s3/backend.ts';
import { compare, table, type Subject } from '../s3/compare.ts';
import { WireClient } from '../s3/wire-client.ts';

const MIB = 2 ** 20;

type Forwarder = { readonly name: string; readonly child: ChildProcess; readonly port: number };
type Work = {
  readonly method: 'PUT' | 'GET';
  readonly body: Uint8Array;
  readonly times: number;
  readonly atOnce: number;
};

const FORWARDERS = [
  { name: 'http-proxy-3', script: 'http-proxy.ts' },
  { name: 'undici, request', script: 'undici-request.ts' },
  { name: 'undici, dispatch', script: 'undici-dispatch.ts' },
] as const;

export async function benchForwarding({ rounds, print }: BenchOptions): Promise<void> {
  const store = await startBackend('store');
  const forwarders: Forwarder[] = [];
  try {
    for (const { name, script } of FORWARDERS) forwarders.push(await startForwarder(name, script, store.port));
    print('\n## Forwarding: bare forwarders');
    for (const [title, unit, work, unitsOf] of WORKS) {
      const subjects = forwarders.map((forwarder) => subjectOf(forwarder, work, unitsOf(work)));
      print(table(title, unit, await compare(subjects, rounds), 'undici, dispatch'));
    }
  } finally {
    for (const { child } of forwarders) await stop(child);
    await store.stop();
  }
}

const large = randomBytes(64 * MIB);
const small = randomBytes(1024);
const mebibytes = ({ body, times }: Work): number => (body.length * times) / MIB;
const requests = ({ times }: Work): number => times;

const WORKS: readonly (readonly [title: string, unit: string, work: Work, unitsOf: (work: Work) => number])[] = [
  ['PUT of 64 MiB', 'MiB', { method: 'PUT', body: large, times: 6, atOnce: 1 }, mebibytes],
  ['GET of 64 MiB', 'MiB', { method: 'GET', body: large, times: 6, atOnce: 1 }, mebibytes],
  ['PUT of 1 KiB, 8 at a time', 'requests', { method: 'PUT', body: small, times: 5000, atOnce: 8 }, requests],
  ['GET of 1 KiB, 8 at a time', 'requests', { method: 'GET', body: small, times: 5000, atOnce: 8 }, requests],
];

function subjectOf({ name, child, port }: Forwarder, work: Work, units: number): Subject {
  const { method, body, times, atOnce } = work;
  const target = `/bucket/${body.length}`;
  return {
    name,
    pid: child.pid,
    run: async () => {
      let left = times;
      const worker = async (): Promise<void> => {
        const client = new WireClient(port);
        while (left-- > 0) {
          const { status, bytes } = await client.send({ method, target, ...(method === 'PUT' ? { body } : {}) });
          if (status !== 200 || (method === 'GET' && bytes !== body.length)) throw new Error(`${name}: ${status}`);
        }
        client.close();
      };
      await Promise.all(Array.from({ length: atOnce }, worker));
      return units;
    },
  };
}

async function startForwarder(name: string, script: string, storePort: number): Promise<Forwarder> {
  const child = fork(join(import.meta.dirname, script), [String(storePort)]);
  const [message] = (await once(child, 'message')) as [{ port: number }];
  return { name, child, port: message.port };
}

async function stop(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.disconnect();
  await exited;
}
