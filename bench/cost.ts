/** What a process has cost so far, from /proc (Linux; elsewhere undefined). */
import { readdir, readFile } from 'node:fs/promises';

/** Seconds that all threads of the process and of its children have run, kernel included. */
export async function cpuSeconds(pid: number | undefined): Promise<number | undefined> {
  if (pid === undefined) return undefined;
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  if (threads.length === 0) return undefined;
  const own = await Promise.all(threads.map((thread) => threadNanoseconds(pid, thread)));
  const children = (await Promise.all(threads.map((thread) => childrenOf(pid, thread)))).flat();
  const theirs = await Promise.all(children.map(async (child) => (await cpuSeconds(child)) ?? 0));
  return own.reduce((sum, time) => sum + time, 0) / 1e9 + theirs.reduce((sum, time) => sum + time, 0);
}

async function childrenOf(pid: number, thread: string): Promise<readonly number[]> {
  const text = await readFile(`/proc/${pid}/task/${thread}/children`, 'utf8').catch(() => '');
  return text.split(' ').filter(Boolean).map(Number);
}

async function threadNanoseconds(pid: number, thread: string): Promise<number> {
  const text = await readFile(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').catch(() => '0');
  return Number(text.split(' ')[0]);
}

/** The largest resident size that the process has had, in MiB. */
export async function peakMemory(pid: number): Promise<number | undefined> {
  return statusMiB(pid, 'VmHWM');
}

async function statusMiB(pid: number, name: string): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const kib = new RegExp(`${name}:\\s+(\\d+)`, 'u').exec(status)?.[1];
  return kib === undefined ? undefined : Number(kib) / 1024;
}
