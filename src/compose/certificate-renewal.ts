/**
 * Certificates of a listener, read again while it serves: whoever renews them, or adds to a revocation list, need not stop what serves with
 * them. What cannot be used is said, and the former stay: a file that is half written must cost nobody a connection.
 */
import { hash, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { readListenTlsAgain, type ListenTlsConfig, type ListenTlsFiles } from '../config/listen-tls.ts';
import type { Log } from '../observe/log.ts';

/** By content, since how files are replaced differs: in place, by renaming, by the link that holds all of a mounted secret. */
const INTERVAL_MS = 10_000;
const REMIND_MS = 60 * 60 * 1000;

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
  /** Digests: of the files at the last look, and of what is served with. */
  #seen: string | undefined;
  #inUse: string;
  /** What is wrong since the last change, and when that was said. */
  #wrong: { readonly reason: string; saidAt: number } | undefined;

  constructor(renewal: Renewal) {
    this.#renewal = renewal;
    this.#inUse = digestOf(renewal.tls);
  }

  /** One look. Never rejects. */
  async look(): Promise<void> {
    const { files } = this.#renewal.tls;
    try {
      const contents = await contentsOf(files);
      if (contents === undefined) return;
      const seen = hash('sha256', JSON.stringify([...contents.values()].map((each) => each.toString())));
      if (seen === this.#seen) return this.#remind();
      this.#seen = seen;
      this.#take(await readListenTlsAgain(files, async (path) => bytesOf(contents.get(path))));
    } catch (error) {
      // OpenSSL's words, as those of the config, name what is wrong with a file and quote nothing of it.
      const reason = error instanceof Error ? error.message : 'unknown reason';
      if (reason !== this.#wrong?.reason) this.#wrong = { reason, saidAt: -Infinity };
      this.#remind();
    }
  }

  #take(now: ListenTlsConfig): void {
    const { listener, take, log } = this.#renewal;
    const digest = digestOf(now);
    if (digest === this.#inUse) {
      if (this.#wrong !== undefined) log.info({ listener }, 'certificates are again those in use');
    } else {
      take(now);
      this.#inUse = digest;
      const { fingerprint256, validTo } = new X509Certificate(now.certificate);
      log.info({ listener, fingerprint256, validTo }, 'certificates renewed');
    }
    this.#wrong = undefined;
  }

  /** At once, and again while it lasts: those who were revoked meanwhile still get in. */
  #remind(): void {
    const { listener, log } = this.#renewal;
    const now = performance.now();
    if (this.#wrong === undefined || now - this.#wrong.saidAt < REMIND_MS) return;
    this.#wrong.saidAt = now;
    const { reason } = this.#wrong;
    log.warn({ listener, reason }, 'certificates have changed and cannot be used; the former stay');
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

/** Undefined where one of them is no file: what came through a pipe, once, cannot be read again. */
async function contentsOf(files: ListenTlsFiles): Promise<ReadonlyMap<string, Buffer | Error> | undefined> {
  const { certFile, keyFile, clientCaFile, clientCrlFile } = files;
  const contents = new Map<string, Buffer | Error>();
  for (const path of [certFile, keyFile, clientCaFile, clientCrlFile]) {
    if (path === undefined) continue;
    try {
      if (!(await stat(path)).isFile()) return undefined;
      contents.set(path, await readFile(path));
    } catch (error) {
      contents.set(path, error instanceof Error ? error : new Error('unknown reason'));
    }
  }
  return contents;
}

function bytesOf(content: Buffer | Error | undefined): Buffer {
  if (content instanceof Buffer) return content;
  if (content instanceof Error) throw content;
  throw new Error('not read');
}

const digestOf = ({ certificate, privateKey, clients }: ListenTlsConfig): string =>
  hash('sha256', JSON.stringify([certificate, privateKey.reveal(), clients?.ca, clients?.crl]));
