/** Requests that are signed before the clock starts, each another one: a signature is taken once. */
import { createHash } from 'node:crypto';
import { signRequest } from '../../src/sigv4/sign.ts';
import { SigningKeyCache } from '../../src/sigv4/signing-key.ts';
import { WireClient, type WireRequest } from '../s3/wire-client.ts';
import { REGION } from './keys.ts';

export const CREDENTIALS = { accessKeyId: 'BENCH', secretAccessKey: 'secret-of-the-bench' };

const signingKeys = new SigningKeyCache();

export function signed(port: number, target: string, input: unknown): WireRequest {
  const body = Buffer.from(JSON.stringify(input));
  const headers = {
    host: `127.0.0.1:${port}`,
    'content-type': 'application/x-amz-json-1.1',
    'x-amz-target': target,
  };
  const payloadHash = createHash('sha256').update(body).digest('hex');
  const options = {
    credentials: CREDENTIALS,
    region: REGION,
    service: 'kms',
    now: Date.now(),
    payloadHash,
    signingKeys,
  };
  const { host: _ours, ...all } = signRequest({ method: 'POST', path: '/', query: '', headers }, options).headers;
  return {
    method: 'POST',
    target: '/',
    headers: Object.entries(all).map(([name, value]) => `${name}: ${value}`),
    body,
  };
}

/** One call whose answer is wanted. */
export async function ask(port: number, target: string, input: unknown): Promise<Readonly<Record<string, unknown>>> {
  const { headers = [], body } = signed(port, target, input);
  const answer = await fetch(`http://127.0.0.1:${port}/`, {
    method: 'POST',
    headers: headers.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
    body: Buffer.from(body ?? []),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${target}: ${answer.status} ${text}`);
  return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
}

/** Sends all, `atOnce` at a time; gives the milliseconds that each took. `isKept`: whether the server keeps connections. */
export async function sendAll(
  port: number,
  requests: readonly WireRequest[],
  atOnce: number,
  isKept: boolean,
): Promise<readonly number[]> {
  const took: number[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    let client = new WireClient(port);
    for (let request = requests[next++]; request !== undefined; request = requests[next++]) {
      const started = performance.now();
      const { status, text } = await client.send(request);
      took.push(performance.now() - started);
      if (status !== 200) throw new Error(`${status} ${text}`);
      if (isKept) continue;
      client.close();
      client = new WireClient(port);
    }
    client.close();
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return took;
}
