/**
 * Certificates, read again while they are in use: whoever renews them, adds to a revocation list, or takes an authority away need not stop what
 * works with them. What cannot be used is said, and the former stay: a file that is half written must cost nobody a connection.
 */
import { hash, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import type { ReadFile } from '../config/files.ts';
import type { Log } from '../observe/log.ts';

/** By content, since how files are replaced differs: in place, by renaming, by the link that holds all of a mounted secret. */
const INTERVAL_MS = 10_000;
const REMIND_MS = 60 * 60 * 1000;

export type RenewalLog = Pick<Log, 'info' | 'warn'>;

export type Renewal<Tls> = {
  /** What is logged with: the listener, or the place in the config. */
  readonly names: object;
  /** What is in use so far, and where it was read. */
  readonly tls: Tls;
  readonly files: readonly (string | undefined)[];
  /** As the files are now. Rejects with what is wrong with one of them. */
  readonly read: (readFile: ReadFile) => Promise<Tls>;
  /** In use from now on, or it throws, and nothing has changed. */
  readonly take: (tls: Tls) => void;
  /** All that is in use, to be compared. */
  readonly contents: (tls: Tls) => readonly (string | undefined)[];
  /** What is shown to the other end, PEM. */
  readonly certificate: (tls: Tls) => string | undefined;
  readonly log: RenewalLog;
};

export class CertificateRenewal<Tls> {
  readonly #renewal: Renewal<Tls>;
  /** Digests: of the files at the last look, and of what is in use. */
  #seen: string | undefined;
  #inUse: string;
  /** What is wrong since the last change, and when that was said. */
  #wrong: { readonly reason: string; saidAt: number } | undefined;

  constructor(renewal: Renewal<Tls>) {
    this.#renewal = renewal;
    this.#inUse = digestOf(renewal.contents(renewal.tls));
  }

  /** One look. Never rejects. */
  async look(): Promise<void> {
    const { files, read } = this.#renewal;
    try {
      const contents = await contentsOf(files);
      if (contents === undefined) return;
      const seen = digestOf([...contents.values()].map((each) => each.toString()));
      if (seen === this.#seen) return this.#remind();
      this.#seen = seen;
      this.#take(await read(async (path) => bytesOf(contents.get(path))));
    } catch (error) {
      // OpenSSL's words, as those of the config, name what is wrong with a file and quote nothing of it.
      const reason = error instanceof Error ? error.message : 'unknown reason';
      if (reason !== this.#wrong?.reason) this.#wrong = { reason, saidAt: -Infinity };
      this.#remind();
    }
  }

  #take(now: Tls): void {
    const { names, take, contents, certificate, log } = this.#renewal;
    const digest = digestOf(contents(now));
    if (digest === this.#inUse) {
      if (this.#wrong !== undefined) log.info(names, 'certificates are again those in use');
    } else {
      take(now);
      this.#inUse = digest;
      log.info({ ...names, ...shown(certificate(now)) }, 'certificates renewed');
    }
    this.#wrong = undefined;
  }

  /** At once, and again while it lasts: those who were revoked meanwhile are still trusted. */
  #remind(): void {
    const { names, log } = this.#renewal;
    const now = performance.now();
    if (this.#wrong === undefined || now - this.#wrong.saidAt < REMIND_MS) return;
    this.#wrong.saidAt = now;
    const { reason } = this.#wrong;
    log.warn({ ...names, reason }, 'certificates have changed and cannot be used; the former stay');
  }
}

function shown(certificate: string | undefined): object {
  if (certificate === undefined) return {};
  const { fingerprint256, validTo } = new X509Certificate(certificate);
  return { fingerprint256, validTo };
}

/** Looks again and again, until it is told to stop. */
export function renewing<Tls>(renewal: Renewal<Tls>): () => void {
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
async function contentsOf(
  files: readonly (string | undefined)[],
): Promise<ReadonlyMap<string, Buffer | Error> | undefined> {
  const contents = new Map<string, Buffer | Error>();
  for (const path of files) {
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

const digestOf = (contents: readonly (string | undefined)[]): string => hash('sha256', JSON.stringify(contents));
