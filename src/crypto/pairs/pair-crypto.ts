/**
 * All that is done with asymmetric key pairs, none of it on the event loop: what takes long must not stall the AES path. Of libuv's
 * four threads it takes at most three at a time, so that the audit log's syncs always find one.
 */
import { decapsulate, diffieHellman, encapsulate, type KeyObject } from 'node:crypto';
import type { DigestScheme } from './digest-signature.ts';
import { generatePair, type KeyPair, type PairKind } from './key-pair.ts';
import { signMessage, verifyMessage, type MessageScheme } from './message-signature.ts';
import type { PairJob, PairResult } from './pair-job.ts';
import { PairThread } from './pair-thread.ts';
import type { OaepHash } from './rsa-oaep.ts';
import { Turns } from './turns.ts';

/** RSA of 4096 bits takes about a second: whoever wants many waits for his own, a minute at most. */
const GENERATIONS = { atOnce: 1, waiting: 64 };
/** Up to 2 ms each, so one waits some seconds at most. */
const USES = { atOnce: 2, waiting: 2048 };
/** Up to 20 ms each; one runs, and a few lie in the thread's own queue so that it never idles. */
const THREAD_JOBS = { atOnce: 8, waiting: 1024 };

/** Beside an error Node gives nothing. */
const NOTHING = { sharedKey: Buffer.alloc(0), ciphertext: Buffer.alloc(0) };

export class PairCrypto {
  readonly #generations: Turns;
  readonly #uses: Turns;
  readonly #jobs: Turns;
  readonly #thread = new PairThread();

  /** `busy` makes what is thrown where more wait than would be served in reasonable time. */
  constructor(busy: () => Error) {
    this.#generations = new Turns({ ...GENERATIONS, busy });
    this.#uses = new Turns({ ...USES, busy });
    this.#jobs = new Turns({ ...THREAD_JOBS, busy });
  }

  generate(kind: PairKind): Promise<KeyPair> {
    return this.#generations.run(() => generatePair(kind));
  }

  signMessage(scheme: MessageScheme, privateKey: KeyObject, message: Uint8Array): Promise<Uint8Array> {
    return this.#uses.run(() => signMessage(scheme, privateKey, message));
  }

  verifyMessage(
    scheme: MessageScheme,
    publicKey: KeyObject,
    message: Uint8Array,
    signature: Uint8Array,
  ): Promise<boolean> {
    return this.#uses.run(() => verifyMessage(scheme, publicKey, message, signature));
  }

  async signDigest(scheme: DigestScheme, key: KeyObject, digest: Uint8Array): Promise<Uint8Array> {
    return bytesOf(await this.#run({ type: 'sign', scheme, key, digest }));
  }

  async verifyDigest(
    scheme: DigestScheme,
    key: KeyObject,
    digest: Uint8Array,
    signature: Uint8Array,
  ): Promise<boolean> {
    const { type } = await this.#run({ type: 'verify', scheme, key, digest, signature });
    return type === 'yes';
  }

  async encrypt(hash: OaepHash, key: KeyObject, plaintext: Uint8Array): Promise<Uint8Array> {
    return bytesOf(await this.#run({ type: 'encrypt', hash, key, plaintext }));
  }

  /** Undefined: it does not open. The caller zeroes the plaintext. */
  async decrypt(hash: OaepHash, key: KeyObject, ciphertext: Uint8Array): Promise<Uint8Array | undefined> {
    const result = await this.#run({ type: 'decrypt', hash, key, ciphertext });
    return result.type === 'no' ? undefined : bytesOf(result);
  }

  /** ECDH (SP 800-56A): the x coordinate of the shared point. Both keys lie on one curve. The caller zeroes it. */
  agree(privateKey: KeyObject, publicKey: KeyObject): Promise<Uint8Array> {
    return this.#uses.run(
      () =>
        new Promise((resolve, reject) => {
          diffieHellman({ privateKey, publicKey }, (error, secret) => {
            if (error === null) resolve(secret);
            else reject(error);
          });
        }),
    );
  }

  /** ML-KEM (FIPS 203): a new secret of 32 bytes, which the caller zeroes, and what opens to it under the private key. */
  encapsulate(publicKey: KeyObject): Promise<{ readonly secret: Uint8Array; readonly ciphertext: Uint8Array }> {
    return this.#uses.run(
      () =>
        new Promise((resolve, reject) => {
          encapsulate(publicKey, (error, { sharedKey, ciphertext } = NOTHING) => {
            if (error === null) resolve({ secret: sharedKey, ciphertext });
            else reject(error);
          });
        }),
    );
  }

  /** Of a ciphertext of the right length; one that is not of this key gives another secret, as FIPS 203 has it. The caller zeroes it. */
  decapsulate(privateKey: KeyObject, ciphertext: Uint8Array): Promise<Uint8Array> {
    return this.#uses.run(
      () =>
        new Promise((resolve, reject) => {
          decapsulate(privateKey, ciphertext, (error, secret) => {
            if (error === null) resolve(secret);
            else reject(error);
          });
        }),
    );
  }

  #run(job: PairJob): Promise<PairResult> {
    return this.#jobs.run(() => this.#thread.run(job));
  }

  close(): Promise<void> {
    return this.#thread.close();
  }
}

function bytesOf(result: PairResult): Uint8Array {
  if (result.type === 'bytes') return result.bytes;
  throw new Error('the pair thread answered something else');
}
