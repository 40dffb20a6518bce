import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PostgresError } from '../errors.ts';
import { CONSUME, FORWARD, FrameStream, WHOLE, type FrameHandler, type Verdict } from './frame-stream.ts';
import { Writer } from './writer.ts';

const code = (letter: string): number => letter.charCodeAt(0);
const frameOf = (letter: string, body: Uint8Array): Uint8Array => new Writer(code(letter)).bytes(body).frame();

type Run = { out: Uint8Array[]; writes: number; errors: unknown[]; seen: { type: string; length: number }[] };

/** P passes, D is dropped, R is replaced by its body reversed, A is replaced later, W is asked for whole, then replaced. */
function run(): { result: Run; stream: FrameStream } {
  const result: Run = { out: [], writes: 0, errors: [], seen: [] };
  const handler: FrameHandler = {
    need: (type, bodyLength) => (type === code('R') || type === code('A') ? bodyLength : Math.min(bodyLength, 2)),
    frame(type, bytes, start, bodyLength): Verdict | Promise<void> {
      const letter = String.fromCharCode(type);
      if (letter === 'D') return CONSUME;
      if (letter === 'W' && bytes.length < start + bodyLength) return WHOLE;
      result.seen.push({ type: letter, length: bodyLength });
      if (letter === 'P') return FORWARD;
      const replacement = frameOf(letter, Uint8Array.from(bytes.subarray(start, start + bodyLength)).reverse());
      if (letter === 'A') return Promise.resolve().then(() => stream.write(replacement));
      stream.write(replacement);
      return CONSUME;
    },
  };
  const stream: FrameStream = new FrameStream(handler, {
    write: (chunks) => {
      result.writes++;
      result.out.push(...chunks.map((chunk) => Uint8Array.from(chunk)));
    },
    failed: (error) => void result.errors.push(error),
    idle: () => undefined,
  });
  return { result, stream };
}

type Message = { letter: string; body: Uint8Array };
const messages = fc.array(
  fc.record({ letter: fc.constantFrom('P', 'D', 'R', 'A', 'W'), body: fc.uint8Array({ maxLength: 40 }) }),
  { maxLength: 12 },
);

const input = (list: readonly Message[]): Buffer =>
  Buffer.concat(list.map(({ letter, body }) => frameOf(letter, body)));
const expected = (list: readonly Message[]): Buffer =>
  Buffer.concat(
    list
      .filter(({ letter }) => letter !== 'D')
      .map(({ letter, body }) => frameOf(letter, letter === 'P' ? body : Uint8Array.from(body).reverse())),
  );
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('FrameStream', () => {
  test('gives the same output however its input is cut, and though what it was given is read over', async () => {
    await fc.assert(
      fc.asyncProperty(messages, fc.array(fc.nat(), { maxLength: 6 }), async (list, cuts) => {
        const bytes = input(list);
        const { result, stream } = run();
        const points = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
        let from = 0;
        for (const to of [...points, bytes.length]) {
          if (to > from) stream.push(bytes.subarray(from, to));
          // What is not in use is read over.
          if (!stream.busy) bytes.fill(0xff, from, to);
          from = to;
        }
        await settled();
        expect(result.errors).toEqual([]);
        expect(Buffer.concat(result.out)).toEqual(expected(list));
      }),
      { numRuns: 150 },
    );
  });

  test('takes every split point of one stream, and one byte at a time', async () => {
    const list = ['P', 'R', 'D', 'A', 'P', 'W'].map((letter, index) => ({
      letter,
      body: Uint8Array.from({ length: index * 3 }, (_, i) => i),
    }));
    const bytes = input(list);
    for (let at = 1; at < bytes.length; at++) {
      const { result, stream } = run();
      stream.push(bytes.subarray(0, at));
      stream.push(bytes.subarray(at));
      await settled();
      expect(Buffer.concat(result.out)).toEqual(expected(list));
    }
    const { result, stream } = run();
    for (const byte of bytes) stream.push(Uint8Array.of(byte));
    await settled();
    expect(Buffer.concat(result.out)).toEqual(expected(list));
  });

  test('every truncation gives a prefix of the output and no error', async () => {
    const list = ['R', 'P', 'W'].map((letter) => ({ letter, body: Uint8Array.of(1, 2, 3, 4, 5) }));
    const bytes = input(list);
    for (let length = 0; length < bytes.length; length++) {
      const { result, stream } = run();
      if (length > 0) stream.push(bytes.subarray(0, length));
      await settled();
      const out = Buffer.concat(result.out);
      expect(result.errors).toEqual([]);
      expect(expected(list).subarray(0, out.length)).toEqual(out);
    }
  });

  test('an untouched chunk leaves as itself, in one write', () => {
    const { result, stream } = run();
    stream.push(input(Array.from({ length: 100 }, () => ({ letter: 'P', body: Uint8Array.of(1, 2, 3) }))));
    expect(result.writes).toBe(1);
    expect(result.out).toHaveLength(1);
  });

  test('a long message streams: what is not looked at is never held', () => {
    const { result, stream } = run();
    const header = new Writer(code('P')).frame();
    new DataView(header.buffer, header.byteOffset).setUint32(1, 0x3fffffff);
    stream.push(header);
    let sent = header.length;
    for (let i = 0; i < 100; i++) {
      stream.push(new Uint8Array(1000));
      sent += 1000;
    }
    expect(result.out.reduce((sum, chunk) => sum + chunk.length, 0)).toBe(sent);
    expect(stream.atBoundary).toBe(false);
  });

  test.each([0, 1, 2, 3])('a length of %i, below its own four bytes, ends the stream', (length) => {
    const { result, stream } = run();
    stream.push(Uint8Array.of(code('P'), 0, 0, 0, length, 0, 0));
    stream.push(frameOf('P', Uint8Array.of(9)));
    expect(result.errors).toHaveLength(1);
    expect((result.errors[0] as PostgresError).code).toBe('ERR_POSTGRES_PROTOCOL');
    expect(result.out).toEqual([]);
  });

  test('while a handler is at work nothing later is looked at', async () => {
    const { result, stream } = run();
    stream.push(Buffer.concat([frameOf('A', Uint8Array.of(1)), frameOf('P', Uint8Array.of(2))]));
    stream.push(frameOf('P', Uint8Array.of(3)));
    expect(stream.busy).toBe(true);
    expect(result.seen.map(({ type }) => type)).toEqual(['A']);
    await settled();
    expect(result.seen.map(({ type }) => type)).toEqual(['A', 'P', 'P']);
  });
});
