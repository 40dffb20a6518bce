/**
 * One start of a key manager, in a process of its own as every start is: opens the store that the options (JSON, the first argument) name,
 * and prints how long that took and what CPU time, in seconds, as JSON.
 */
import { openKeyManager } from '../../src/keys/key-manager.ts';
import type { KeyManagerOptions } from '../../src/keys/options.ts';
import { PORTS } from './keys.ts';

export type Start = { readonly seconds: number; readonly cpuSeconds: number };

// Written by `many-keys.ts`.
const options = JSON.parse(process.argv[2] ?? '') as KeyManagerOptions;
const cpu = process.cpuUsage();
const began = performance.now();
const keys = await openKeyManager(options, PORTS);
const seconds = (performance.now() - began) / 1000;
const { user, system } = process.cpuUsage(cpu);
await keys.close();
process.stdout.write(JSON.stringify({ seconds, cpuSeconds: (user + system) / 1e6 } satisfies Start));
