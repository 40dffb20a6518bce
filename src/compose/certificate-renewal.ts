/**
 * Certificates of a listener, read again while it serves: whoever renews them, or adds to a revocation list, need not stop what serves with
 * them. What cannot be used is said, and the former stay: a file that is half written must cost nobody a connection.
 */
import { hash, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { readListenTlsAgain, type ListenTlsConfig } from '../config/listen-tls.ts';
import type { Log } from '../observe/log.ts';

/** By content, since how files are replaced differs: in place, by renaming, by the link that holds all of a mounted secret. */
const INTERVAL_MS = 10_000;

export type Renewal = {
  /** What is logged as. */
  readonly listener: string;
  /** What it serves with so far. */
  readonly tls: ListenTlsConfig;
  /** Serves with others from now on, or throws, and nothing has changed. */
  readonly take: (tls: ListenTlsConfig) => void;
  readonly log: Pick<Log, 'info' | 'warn'>;
};

export class CertificateRenewal {
  readonly #renewal: Renewal;
  /** Digests of what is served with, and of what could not be. */
  #inUse: string;
  #refused: string | undefined;
  /** What is wrong now, which is said once. */
  #reason: string | undefined;

  constructor(renewal: Renewal) {
    this.#renewal = renewal;
    this.#inUse = digestOf(renewal.tls);
  }

  /** One look. Never rejects. */
  async look(): Promise<void> {
    const { listener, tls, take, log } = this.#renewal;
    try {
      const now = await readListenTlsAgain(tls.files, (path) => readFile(path));
      const digest = digestOf(now);
      if (digest === this.#refused) return;
      if (digest === this.#inUse) return this.#asBefore();
      this.#refused = digest;
      take(now);
      [this.#inUse, this.#refused, this.#reason] = [digest, undefined, undefined];
      const { fingerprint256, validTo } = new X509Certificate(now.certificate);
      log.info({ listener, fingerprint256, validTo }, 'certificates renewed');
    } catch (error) {
      // OpenSSL's words, as those of the config, name what is wrong with a file and quote nothing of it.
      const reason = error instanceof Error ? error.message : 'unknown reason';
      if (reason === this.#reason) return;
      this.#reason = reason;
      log.warn({ listener, reason }, 'certificates have changed and cannot be used; the former stay');
    }
  }

  #asBefore(): void {
    const { listener, log } = this.#renewal;
    if (this.#reason !== undefined) log.info({ listener }, 'certificates are again those in use');
    [this.#refused, this.#reason] = [undefined, undefined];
  }
}

/** Looks again and again, until it is told to stop. */
export function renewing(renewal: Renewal): () => void {
  const certificates = new CertificateRenewal(renewal);
  let isLooking = false;
  const timer = setInterval(() => {
    if (isLooking) return;
    isLooking = true;
    void certificates.look().finally(() => (isLooking = false));
  }, INTERVAL_MS).unref();
  return () => clearInterval(timer);
}

const digestOf = ({ certificate, privateKey, clients }: ListenTlsConfig): string =>
  hash('sha256', JSON.stringify([certificate, privateKey.reveal(), clients?.ca, clients?.crl]));
