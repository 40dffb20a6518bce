import { serialize } from 'pg-protocol';
import { describe, expect, test } from 'vitest';
import { PostgresError } from '../errors.ts';
import { decodeStartup, encodeStartup, nameOfStartup, startupLength } from './startup.ts';

const codeOf = (work: () => unknown): string | undefined => {
  try {
    work();
  } catch (error) {
    if (error instanceof PostgresError) return error.code;
    throw error;
  }
  return undefined;
};

describe('startup packets', () => {
  test('what pg-protocol writes is read', () => {
    const startup = decodeStartup(serialize.startup({ user: 'u', database: 'd' }));
    expect(startup).toMatchObject({ type: 'startup', major: 3, minor: 0 });
    expect(startup.type === 'startup' && startup.parameters.get('database')).toBe('d');
    expect(decodeStartup(serialize.requestSsl())).toEqual({ type: 'ssl' });
    expect(decodeStartup(serialize.cancel(1, 2))).toEqual({ type: 'cancel' });
  });

  test('minor versions are kept, for the server to negotiate', () => {
    expect(decodeStartup(encodeStartup(2, new Map([['user', 'u']])))).toMatchObject({ minor: 2 });
  });

  test('names are those that the server cuts them to', () => {
    expect(nameOfStartup('é'.repeat(30))).toBe('é'.repeat(30));
    expect(nameOfStartup('x'.repeat(64))).toBe('x'.repeat(63));
    expect(nameOfStartup(`${'x'.repeat(61)}é…`)).toBe(`${'x'.repeat(61)}é`);
  });

  test.each([0, 4, 7, 10_005, 0x7fffffff, 0xffffffff])(
    'a length of %i is refused before anything waits for it',
    (length) => {
      const head = Buffer.alloc(4);
      head.writeUInt32BE(length);
      expect(codeOf(() => startupLength(head))).toBe('ERR_POSTGRES_PROTOCOL');
    },
  );

  test('unknown codes and protocol 2 get a code of their own', () => {
    expect(codeOf(() => decodeStartup(Uint8Array.of(0, 0, 0, 8, 0, 2, 0, 0)))).toBe('ERR_POSTGRES_STARTUP_UNKNOWN');
    expect(codeOf(() => decodeStartup(Buffer.from('GET / HTTP/1.1')))).toBe('ERR_POSTGRES_STARTUP_UNKNOWN');
  });

  test('cancel keys have 4 to 256 bytes', () => {
    const cancel = (keyBytes: number): Uint8Array => {
      const packet = Buffer.alloc(12 + keyBytes);
      packet.writeUInt32BE(packet.length, 0);
      packet.writeUInt32BE(80877102, 4);
      return packet;
    };
    expect(decodeStartup(cancel(256))).toEqual({ type: 'cancel' });
    expect(codeOf(() => decodeStartup(cancel(257)))).toBe('ERR_POSTGRES_PROTOCOL');
    expect(codeOf(() => decodeStartup(cancel(3)))).toBe('ERR_POSTGRES_PROTOCOL');
  });

  test('every truncation of a StartupMessage is refused', () => {
    const whole = encodeStartup(
      0,
      new Map([
        ['user', 'me'],
        ['options', '-c search_path=x'],
      ]),
    );
    for (let length = 8; length < whole.length; length++) {
      expect(
        codeOf(() => decodeStartup(whole.subarray(0, length))),
        `cut at ${length}`,
      ).toBe('ERR_POSTGRES_PROTOCOL');
    }
  });
});
