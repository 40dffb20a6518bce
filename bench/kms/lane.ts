/** `npm run bench -- kms`: the key manager in process and over HTTP, beside emulators of AWS KMS where they are installed. */
import type { BenchOptions } from '../options.ts';
import { benchBesideSlow } from './beside-slow.ts';
import { benchInProcess } from './in-process.ts';
import { benchManyKeys } from './many-keys.ts';
import { benchOverHttp } from './over-http.ts';

export async function benchKms(options: BenchOptions): Promise<void> {
  options.print('\n## KMS');
  await benchInProcess(options);
  await benchBesideSlow(options);
  await benchOverHttp(options);
  await benchManyKeys(options);
}
