import { expect, test } from 'vitest';
import { AWS_CAPABILITIES } from './capabilities.ts';
import type { UpstreamRequest, UpstreamResponse } from './client.ts';
import { SeveralStores } from './several-stores.ts';
import { WholeBody } from './upstream-body.ts';

class Store {
  readonly capabilities = AWS_CAPABILITIES;
  readonly sent: UpstreamRequest[] = [];
  isOpen = true;

  send(request: UpstreamRequest): Promise<UpstreamResponse> {
    this.sent.push(request);
    return Promise.resolve({ status: 200, headers: {}, body: new WholeBody(new Uint8Array()) });
  }

  close(): Promise<void> {
    this.isOpen = false;
    return Promise.resolve();
  }
}

const [usual, a, b] = [new Store(), new Store(), new Store()];
const all = [usual, a, b];
const stores = new SeveralStores(usual, [
  { buckets: ['logs-*', 'archive'], store: a },
  { buckets: ['logs-eu-*', 'logs-eu-old', '*'], store: b },
]);

test.each([
  ['archive', a],
  ['archive-2', b],
  ['logs-', a],
  ['logs-us', a],
  ['logs-eu-new', b],
  ['logs-eu-old', b],
  ['logs', b],
  ['', usual],
])('%j lies in one store, the one that names it most narrowly', async (bucket, store) => {
  expect(stores.storeOf(bucket)).toBe(store);
  for (const one of all) one.sent.length = 0;
  await stores.send({ method: 'GET', ...(bucket === '' ? {} : { bucket }) });
  expect(all.map(({ sent }) => sent.length)).toEqual(all.map((one) => (one === store ? 1 : 0)));
});

test('What no other store is named for lies in the first; all are closed', async () => {
  const few = new SeveralStores(usual, [{ buckets: ['x'], store: a }]);
  expect([few.storeOf('y'), few.storeOf('X')]).toEqual([usual, usual]);
  expect(few.stores).toEqual([usual, a]);
  await stores.close();
  expect(all.map(({ isOpen }) => isOpen)).toEqual([false, false, false]);
});
