/** What a process has cost so far, from /proc (Linux; elsewhere undefined). */
import { readdir, readFile } from 'node:fs/promises';

/** Seconds that all threads of the process have run, kernel included. */
export async function cpuSeconds(pid: number | undefined): Promise<number | undefined> {
  if (pid === undefined) return undefined;
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const times = await Promise.all(threads.map((thread) => threadNanoseconds(pid, thread)));
  return threads.length === 0 ? undefined : times.reduce((sum, time) => sum + time, 0) / 1e9;
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
