/**
 * The compression function of SHA-256 (FIPS 180-4, 6.2.2), for hashing that goes on from a state that node:crypto cannot be given. Shifts,
 * additions and Boolean operations alone: no branch and no look-up depends on what is hashed. Held against node:crypto by test and at each start.
 */
export const SHA256_BLOCK_BYTES = 64;
/** Of a state, in words of 32 bits. */
export const SHA256_STATE_WORDS = 8;

/** The first 32 bits of the fractional parts of the square roots of the first eight primes (FIPS 180-4, 5.3.3). */
export const SHA256_START: Int32Array = Int32Array.from(primes(8), (prime) => fractionOf(Math.sqrt(prime)));
/** And of the cube roots of the first 64 (4.2.2). */
const K = Int32Array.from(primes(64), (prime) => fractionOf(Math.cbrt(prime)));
/** The message schedule of the block at hand. */
const W = new Int32Array(64);

/** `state` after the 64 bytes of `bytes` from `at` on; what is read past its end counts as zero. */
export function compressSha256(state: Int32Array, bytes: Uint8Array, at: number): void {
  schedule(bytes, at);
  let [a, b, c, d] = [state[0] ?? 0, state[1] ?? 0, state[2] ?? 0, state[3] ?? 0];
  let [e, f, g, h] = [state[4] ?? 0, state[5] ?? 0, state[6] ?? 0, state[7] ?? 0];
  for (let i = 0; i < 64; i++) {
    const s1 = (rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)) + (g ^ (e & (f ^ g)));
    const t1 = (h + s1 + (K[i] ?? 0) + (W[i] ?? 0)) | 0;
    const t2 = ((rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  add(state, 0, a, b, c, d);
  add(state, 4, e, f, g, h);
}

function schedule(bytes: Uint8Array, start: number): void {
  for (let i = 0, at = start; i < 16; i++, at += 4)
    W[i] = (byte(bytes, at) << 24) | (byte(bytes, at + 1) << 16) | (byte(bytes, at + 2) << 8) | byte(bytes, at + 3);
  for (let i = 16; i < 64; i++) {
    const [x, y] = [W[i - 15] ?? 0, W[i - 2] ?? 0];
    const s0 = rotated(x, 7) ^ rotated(x, 18) ^ (x >>> 3);
    const s1 = rotated(y, 17) ^ rotated(y, 19) ^ (y >>> 10);
    W[i] = ((W[i - 16] ?? 0) + s0 + (W[i - 7] ?? 0) + s1) | 0;
  }
}

function add(state: Int32Array, at: number, p: number, q: number, r: number, s: number): void {
  state[at] = (state[at] ?? 0) + p;
  state[at + 1] = (state[at + 1] ?? 0) + q;
  state[at + 2] = (state[at + 2] ?? 0) + r;
  state[at + 3] = (state[at + 3] ?? 0) + s;
}

const byte = (bytes: Uint8Array, at: number): number => bytes[at] ?? 0;
const rotated = (x: number, by: number): number => (x >>> by) | (x << (32 - by));

function fractionOf(root: number): number {
  return ((root - Math.floor(root)) * 2 ** 32) | 0;
}

function primes(count: number): readonly number[] {
  const found: number[] = [];
  for (let n = 2; found.length < count; n += 1) if (found.every((prime) => n % prime !== 0)) found.push(n);
  return found;
}
