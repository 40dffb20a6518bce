import fc from 'fast-check';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { serialize } from 'node:v8';
import { expect, test } from 'vitest';
import { pipePair } from '../../../test/support/keys/pipe-pair.ts';
import { Channel, MAX_CHANNEL_NUMBER } from './channel.ts';

const framed = (value: unknown): Buffer => {
  const bytes = serialize(value);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
};

function reading(pipe: PassThrough): { readonly received: unknown[]; readonly ends: () => number } {
  const received: unknown[] = [];
  let ends = 0;
  new Channel(pipe, { received: (value) => received.push(value), ended: () => (ends += 1) });
  return { received, ends: () => ends };
}

test('Values come whole and in order, wherever the pipe cuts them', async () => {
  const values = fc.array(fc.record({ number: fc.nat(), bytes: fc.uint8Array({ maxLength: 50 }), text: fc.string() }), {
    minLength: 1,
    maxLength: 5,
  });
  await fc.assert(
    fc.asyncProperty(values, fc.array(fc.nat(400), { maxLength: 6 }), async (sent, cuts) => {
      const all = Buffer.concat(sent.map(framed));
      const pipe = new PassThrough();
      const { received } = reading(pipe);
      const places = [...new Set(cuts.map((cut) => cut % all.length))].sort((a, b) => a - b);
      for (const [index, from] of [0, ...places].entries()) {
        pipe.write(Uint8Array.from(all.subarray(from, places[index] ?? all.length)));
        await new Promise(setImmediate);
      }
      expect(received).toEqual(sent);
    }),
    { numRuns: 60 },
  );
});

test('Lists of numbers come among them, wherever the pipe cuts, and what came at once is told to be through once', async () => {
  const number = fc.integer({ min: 0, max: MAX_CHANNEL_NUMBER });
  const sent = fc.array(fc.oneof(fc.array(number, { maxLength: 4 }), fc.record({ number })), { minLength: 1 });
  await fc.assert(
    fc.asyncProperty(sent, fc.boolean(), async (values, together) => {
      const [one, other] = await pipePair();
      const got: unknown[] = [];
      const ends: number[] = [];
      const channel = new Channel(one, { received: () => undefined, ended: () => undefined });
      new Channel(other, {
        received: (value) => got.push(value),
        receivedAll: () => ends.push(got.length),
        ended: () => undefined,
      });
      for (const value of values) {
        if (Array.isArray(value)) channel.sendNumbers(value);
        else channel.send(value);
        if (!together) await new Promise(setImmediate);
      }
      await expect.poll(() => got.length).toBe(values.length);
      expect(got).toEqual(values);
      await expect.poll(() => ends.at(-1)).toBe(values.length);
      expect(ends).toEqual([...ends].sort((a, b) => a - b));
      channel.close();
    }),
    { numRuns: 30 },
  );
});

test('What is no number of 32 bits is not sent', () => {
  const channel = new Channel(new PassThrough(), { received: () => undefined, ended: () => undefined });
  for (const odd of [-1, MAX_CHANNEL_NUMBER + 1]) expect(() => channel.sendNumbers([1, odd])).toThrow(RangeError);
});

test('Byte arrays of a value lie where it was read, so that a key that is zeroed is gone', async () => {
  const pipe = new PassThrough();
  const key = Uint8Array.from({ length: 32 }, (_, index) => 200 + (index % 7));
  const chunk = framed({ key });
  const { received } = reading(pipe);
  pipe.write(chunk);
  await new Promise(setImmediate);
  const [value] = received as [{ key: Uint8Array }];
  expect(value.key).toEqual(key);
  expect(chunk.includes(key)).toBe(true);
  value.key.fill(0);
  expect(chunk.includes(key)).toBe(false);
});

test('What was written is zeroed once the pipe has it', async () => {
  const written: Buffer[] = [];
  const pipe = new PassThrough();
  const write = pipe.write.bind(pipe);
  pipe.write = ((bytes: Buffer, then: () => void) => {
    written.push(bytes);
    return write(Buffer.from(bytes), then);
  }) as typeof pipe.write;
  const channel = new Channel(pipe, { received: () => undefined, ended: () => undefined });
  channel.send({ key: Uint8Array.from([1, 2, 3]) });
  channel.send('second');
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(written).toHaveLength(1);
  expect(written[0]?.every((byte) => byte === 0)).toBe(true);
});

test('A length beyond all bounds ends the channel, once', async () => {
  const pipe = new PassThrough();
  const { received, ends } = reading(pipe);
  pipe.write(Buffer.from([255, 255, 255, 255, 1]));
  pipe.write(framed('late'));
  await once(pipe, 'close').catch(() => undefined);
  expect([received, ends()]).toEqual([[], 1]);
});

test('The other end going is told once, and what is sent afterwards is nobody’s', async () => {
  const [one, other] = await pipePair();
  let ends = 0;
  const channel = new Channel(one, { received: () => undefined, ended: () => (ends += 1) });
  other.destroy();
  await once(one, 'close');
  channel.send('anything');
  channel.close();
  expect([ends, channel.isOpen]).toEqual([1, false]);
});
