/** A KMS listener in a process of its own, which writes a snapshot of its heap when it is told to; for the test of what is in it. */
import { writeHeapSnapshot } from 'node:v8';
import { startKms } from './edge.ts';

const kms = await startKms();
process.stdout.write(`${kms.port}\n`);
process.stdin.on('data', (chunk: Buffer) => {
  const path = chunk.toString('utf8').trim();
  writeHeapSnapshot(path);
  process.stdout.write('written\n');
});
process.stdin.on('end', () => {
  void kms[Symbol.asyncDispose]();
});
