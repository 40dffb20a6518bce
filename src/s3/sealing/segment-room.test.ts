import { expect, test } from 'vitest';
import { segmentSizeOf } from '../../envelope/object/sizes.ts';
import { ByteGovernor } from './governor.ts';
import { opened, segmentRoom } from './segment-room.ts';

const MIB = 2 ** 20;
/** Of a part of this length. */
const segmentOf = (plainLength: number, partNumber = 1): number =>
  segmentSizeOf({ layout: 'part', partNumber, plainLength });
/** A little more than 10 MiB. */
const LARGEST = segmentOf(5 * 1024 * MIB);
const client = { movedBytes: () => 0, awaitsClient: () => false, giveUp: () => undefined };
const request = { signal: new AbortController().signal, client };
const governorOf = (maxBytes: number): ByteGovernor =>
  new ByteGovernor({ maxBytes, maxWaiting: 10, maxWaitMs: 100_000, patienceMs: 100_000 });

test('parts of up to 31 MiB need no room of their own; larger ones need that of a segment', async () => {
  const segments = governorOf(32 * MIB);
  const room = await segmentRoom({ segments }, request, segmentOf(31 * MIB));
  expect(segments.usedBytes).toBe(0);
  room.giveBack();
  const rooms = await Promise.all(
    [segmentOf(512 * MIB), LARGEST].map((size) => segmentRoom({ segments }, request, size)),
  );
  // 1 and 10 MiB, and what the tags make it more, in steps of 4 KiB.
  expect(segments.usedBytes).toBeGreaterThanOrEqual(11 * MIB);
  expect(segments.usedBytes).toBeLessThanOrEqual(11 * MIB + 16 * 1024);
  for (const each of rooms) each.giveBack();
  expect(segments.usedBytes).toBe(0);
});

test('one that is larger than all the room there is has all of it, and is alone', async () => {
  const segments = governorOf(32 * MIB);
  const last = segmentOf(5 * 1024 * MIB, 10_000);
  expect(last).toBeGreaterThan(53 * MIB);
  const small = await segmentRoom({ segments }, request, segmentOf(512 * MIB));
  let isAlone = false;
  const large = segmentRoom({ segments }, request, last).then((room) => ((isAlone = true), room));
  await Promise.resolve();
  expect(isAlone).toBe(false);
  small.giveBack();
  const room = await large;
  expect(segments.usedBytes).toBe(32 * MIB);
  room.giveBack();
  expect(segments.usedBytes).toBe(0);
});

test('who finds no room waits until it is given back, and leaves the line when its client leaves', async () => {
  const segments = governorOf(12 * MIB);
  const first = await segmentRoom({ segments }, request, LARGEST);
  const leaving = new AbortController();
  const left = segmentRoom({ segments }, { signal: leaving.signal, client }, LARGEST);
  const second = segmentRoom({ segments }, request, LARGEST);
  leaving.abort();
  await expect(left).rejects.toMatchObject({ code: 'ERR_S3_REQUEST_TIMEOUT' });
  const before = segments.usedBytes;
  first.giveBack();
  (await second).giveBack();
  expect(before).toBeGreaterThan(10 * MIB);
  expect(segments.usedBytes).toBe(0);
});

test('who has given a segment out lets those who wait have their turn, and comes after them', async () => {
  const segments = governorOf(12 * MIB);
  const first = await segmentRoom({ segments }, request, LARGEST);
  await first.pass();
  const order: string[] = [];
  const second = segmentRoom({ segments }, request, LARGEST).then((room) => (order.push('second'), room));
  const passed = first.pass().then(() => order.push('first again'));
  (await second).giveBack();
  await passed;
  expect(order).toEqual(['second', 'first again']);
  first.giveBack();
  expect(segments.usedBytes).toBe(0);
});

test('the room of a body that is never read comes back when the request is aborted', async () => {
  const segments = governorOf(12 * MIB);
  const leaving = new AbortController();
  await segmentRoom({ segments }, { signal: leaving.signal, client }, LARGEST);
  leaving.abort();
  expect(segments.usedBytes).toBe(0);
});

test('who comes while a client still takes a segment has its turn before the next one', async () => {
  const segments = governorOf(12 * MIB);
  const room = await segmentRoom({ segments }, request, LARGEST);
  const client1 = Promise.withResolvers<void>();
  const take = opened(
    (chunk, out) => void out.push(chunk),
    () => client1.promise,
    room,
  );
  const order: string[] = [];
  const taken = Promise.resolve(take([new Uint8Array(1)])).then(() => order.push('first again'));
  const second = segmentRoom({ segments }, request, LARGEST).then((other) => (order.push('second'), other));
  client1.resolve();
  (await second).giveBack();
  await taken;
  expect(order).toEqual(['second', 'first again']);
  room.giveBack();
  expect(segments.usedBytes).toBe(0);
});

test('where nobody waits and the client takes at once, the source is not made to wait', async () => {
  const room = await segmentRoom({ segments: governorOf(12 * MIB) }, request, LARGEST);
  const take = opened(
    (chunk, out) => void out.push(chunk),
    () => undefined,
    room,
  );
  expect(take([new Uint8Array(1)])).toBe(undefined);
  room.giveBack();
});
