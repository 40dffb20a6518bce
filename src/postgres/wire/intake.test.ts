import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Intake, type Taker } from './intake.ts';

let server: Server;
let accepted: Socket;
let peer: Socket;

beforeEach(async () => {
  server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  peer = connect((server.address() as AddressInfo).port, '127.0.0.1');
  [accepted] = (await once(server, 'connection')) as [Socket];
});
afterEach(() => {
  peer.destroy();
  accepted.destroy();
  server.close();
});

const noise = (length: number, seed: number): Buffer => {
  let last = Buffer.from(`${length} ${seed}`);
  const parts: Buffer[] = [];
  for (let made = 0; made < length; made += 32) parts.push((last = createHash('sha256').update(last).digest()));
  return Buffer.concat(parts).subarray(0, length);
};

/** Takes all, keeping the very bytes it was given from the `keepFrom`-th time on. */
function collect(keepFrom: number): { taker: Taker; taken: Uint8Array[] } {
  const taken: Uint8Array[] = [];
  const keeps = (): boolean => taken.length >= keepFrom;
  return { taker: { keeps, take: (bytes) => void taken.push(keeps() ? bytes : Uint8Array.from(bytes)) }, taken };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(2);
}

const lengthOf = (parts: readonly Uint8Array[]): number => parts.reduce((sum, part) => sum + part.length, 0);

describe('Intake', () => {
  test.each([0, 1, 3, Number.POSITIVE_INFINITY])(
    'what is kept, from the take number %d on, never changes',
    async (keepFrom) => {
      const { taker, taken } = collect(keepFrom);
      new Intake(accepted).start(taker);
      const sent: Buffer[] = [];
      for (const [seed, length] of [
        10,
        100,
        1023,
        1024,
        1025,
        8192,
        20_000,
        5,
        300_000,
        64 * 1024,
        1,
        8191,
        1024,
      ].entries()) {
        const part = noise(length, seed);
        sent.push(part);
        peer.write(part);
        await until(() => lengthOf(taken) === lengthOf(sent));
      }
      expect(Buffer.concat(taken).equals(Buffer.concat(sent))).toBe(true);
    },
  );

  test('what is kept of many small reads takes no more room than its bytes', async () => {
    const { taker, taken } = collect(0);
    new Intake(accepted).start(taker);
    peer.setNoDelay(true);
    for (let i = 1; i <= 20; i++) {
      peer.write('tiny');
      await until(() => lengthOf(taken) === 4 * i);
    }
    expect(new Set(taken.map(({ buffer }) => buffer)).size).toBeLessThan(3);
  });

  test('a paused socket is not read, and goes on where it was', async () => {
    const { taker, taken } = collect(Number.POSITIVE_INFINITY);
    const intake = new Intake(accepted);
    intake.start(taker);
    intake.socket.pause();
    peer.write('held back');
    await sleep(50);
    expect(taken).toEqual([]);
    intake.socket.resume();
    await until(() => lengthOf(taken) === 9);
    expect(Buffer.concat(taken).toString()).toBe('held back');
  });

  test('bytes and an end that were there before arrive after', async () => {
    peer.end('before');
    await sleep(50);
    const { taker, taken } = collect(Number.POSITIVE_INFINITY);
    const intake = new Intake(accepted);
    const ended = once(intake.socket, 'end');
    intake.start(taker);
    await ended;
    expect(Buffer.concat(taken).toString()).toBe('before');
  });

  test('a socket that has read ahead is left as it is', async () => {
    accepted.resume();
    accepted.pause();
    peer.write('read ahead');
    await until(() => accepted.readableLength > 0);
    const { taker, taken } = collect(Number.POSITIVE_INFINITY);
    const intake = new Intake(accepted);
    expect(intake.socket).toBe(accepted);
    intake.start(taker);
    await until(() => lengthOf(taken) === 10);
  });

  test('what is written goes to the same peer', async () => {
    const intake = new Intake(accepted);
    expect(intake.socket).not.toBe(accepted);
    intake.socket.write('hello');
    const [answer] = (await once(peer, 'data')) as [Buffer];
    expect(answer.toString()).toBe('hello');
  });

  test.each(['given', 'own'] as const)(
    'closing the socket that was given, or its own, closes both: %s',
    async (which) => {
      const intake = new Intake(accepted);
      const closed = Promise.all([once(accepted, 'close'), once(intake.socket, 'close'), once(peer, 'close')]);
      peer.resume();
      intake.start({ take: () => undefined, keeps: () => false });
      (which === 'given' ? accepted : intake.socket).destroy();
      await closed;
      const stopped = once(server, 'close');
      server.close();
      await stopped;
    },
  );

  test('a reset arrives as an error of its socket', async () => {
    const intake = new Intake(accepted);
    intake.start({ take: () => undefined, keeps: () => false });
    const failed = once(intake.socket, 'error');
    accepted.on('error', () => undefined);
    peer.resetAndDestroy();
    const [error] = (await failed) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNRESET');
  });
});
