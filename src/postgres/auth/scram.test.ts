import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { scramClient } from './scram-client.ts';
import { keysOfPassword, keysOfVerifier } from './scram-keys.ts';
import { beginScram } from './scram-server.ts';
import { mockVerifier, parseVerifier, type Verifier } from './verifier.ts';

const hmac = (key: Uint8Array, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/** A naive RFC 5802 derivation, independent of the code under test. */
function keysOf(password: string, salt: Uint8Array, iterations: number): { clientKey: Buffer; verifier: Verifier } {
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256');
  const clientKey = hmac(salted, 'Client Key');
  const storedKey = createHash('sha256').update(clientKey).digest();
  return { clientKey, verifier: { iterations, salt, storedKey, serverKey: hmac(salted, 'Server Key') } };
}

const binding = randomBytes(32);

async function exchange(password: string, used: string, channelBinding?: Uint8Array) {
  const { verifier } = keysOf(password, Buffer.from('0123456789abcdef'), 4096);
  const client = keysOf(used, verifier.salt, 4096);
  const scram = scramClient({ keysFor: keysOfVerifier(verifier, client.clientKey), nonce: 'abcdef', channelBinding });
  const step = beginScram(scram.clientFirst, channelBinding !== undefined, { verifier, nonce: 'XYZ', channelBinding });
  if (step === undefined) throw new Error('client-first refused');
  const proof = await scram.answer(step.serverFirst);
  if (proof === undefined) throw new Error('server-first refused');
  return { scram, proven: step.finish(proof), clientKey: client.clientKey };
}

describe('SCRAM-SHA-256', () => {
  test('the example of RFC 7677: the same proof and the same signature', () => {
    const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
    const { clientKey, verifier } = keysOf('pencil', salt, 4096);
    const step = beginScram('n,,n=user,r=rOprNGfwEbeRWgbNEkqO', false, {
      verifier,
      nonce: '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
      channelBinding: undefined,
    });
    expect(step?.serverFirst).toBe(
      'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
    );
    const proven = step?.finish(
      'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
    );
    expect(proven?.serverFinal).toBe('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=');
    expect(Buffer.from(proven?.clientKey ?? [])).toEqual(clientKey);
  });

  test('a right proof yields the ClientKey and a signature the client accepts, with and without channel binding', async () => {
    for (const channelBinding of [undefined, binding]) {
      const { scram, proven, clientKey } = await exchange('secret', 'secret', channelBinding);
      expect(Buffer.from(proven?.clientKey ?? [])).toEqual(clientKey);
      expect(scram.verify(proven?.serverFinal ?? '')).toBe(true);
      expect(scram.verify(`v=${Buffer.alloc(32).toString('base64')}`)).toBe(false);
    }
  });

  test('a wrong password yields nothing', async () => {
    expect((await exchange('secret', 'guess')).proven).toBeUndefined();
  });

  test('a client that was not shown the offer of channel binding is refused: somebody took it away', () => {
    const { verifier } = keysOf('x', Buffer.alloc(16), 4096);
    expect(beginScram('y,,n=,r=abc', false, { verifier, nonce: 'n', channelBinding: binding })).toBeUndefined();
    expect(beginScram('y,,n=,r=abc', false, { verifier, nonce: 'n', channelBinding: undefined })).toBeDefined();
  });

  test.each([
    '',
    'n,,',
    'n,a=admin,n=,r=x',
    'n,,m=ext,n=,r=x',
    'n,,n=,r=',
    'p=tls-unique,,n=,r=x',
    'n,,n=,r=a\u0000b',
    `n,,n=,r=${'x'.repeat(5000)}`,
  ])('a malformed first message %j is refused', (message) => {
    const { verifier } = keysOf('x', Buffer.alloc(16), 4096);
    expect(beginScram(message, false, { verifier, nonce: 'n', channelBinding: undefined })).toBeUndefined();
  });

  test('a server that names another salt, other iterations, or a nonce not beginning with ours gets no proof', async () => {
    const { clientKey, verifier } = keysOf('x', Buffer.alloc(16, 1), 4096);
    const scram = scramClient({
      keysFor: keysOfVerifier(verifier, clientKey),
      nonce: 'abc',
      channelBinding: undefined,
    });
    const salt = Buffer.alloc(16, 1).toString('base64');
    expect(await scram.answer(`r=abcdef,s=${salt},i=4096`)).toBeDefined();
    expect(await scram.answer(`r=abcdef,s=${Buffer.alloc(16, 2).toString('base64')},i=4096`)).toBeUndefined();
    expect(await scram.answer(`r=abcdef,s=${salt},i=1`)).toBeUndefined();
    expect(await scram.answer(`r=abc,s=${salt},i=4096`)).toBeUndefined();
    expect(await scram.answer(`r=zzzdef,s=${salt},i=4096`)).toBeUndefined();
    expect(await scram.answer(`r=abc${'x'.repeat(5000)},s=${salt},i=4096`)).toBeUndefined();
  });
});

describe('keys from a password', () => {
  test.each(['pencil', 'pass wörd', '\u2163', 'a\u00a0b'])('%j: those of the server', async (password) => {
    const salt = Buffer.from('0123456789abcdef');
    const normal = { '\u2163': 'IV', 'a\u00a0b': 'a b' }[password] ?? password;
    const { clientKey, verifier } = keysOf(normal, salt, 4096);
    const keys = await keysOfPassword(password, salt, 4096);
    expect(Buffer.from(keys.clientKey)).toEqual(clientKey);
    expect(Buffer.from(keys.storedKey)).toEqual(verifier.storedKey);
    expect(Buffer.from(keys.serverKey)).toEqual(verifier.serverKey);
  });
});

describe('verifiers', () => {
  test('md5 hashes, garbage, absurd iteration counts are no verifiers', () => {
    expect(parseVerifier(undefined)).toBeUndefined();
    expect(parseVerifier('md5abcdef')).toBeUndefined();
    const keys = `${Buffer.alloc(32).toString('base64')}:${Buffer.alloc(32).toString('base64')}`;
    expect(parseVerifier(`SCRAM-SHA-256$4096:AAAA$${keys}`)).toMatchObject({ iterations: 4096 });
    expect(parseVerifier(`SCRAM-SHA-256$999999999:AAAA$${keys}`)).toBeUndefined();
  });

  test('a missing user looks the same at each try, and unlike another', () => {
    const secret = randomBytes(32);
    expect(mockVerifier('a', secret)).toEqual(mockVerifier('a', secret));
    expect(mockVerifier('a', secret).salt).not.toEqual(mockVerifier('b', secret).salt);
  });
});
