/**
 * Parts that are on their way to a backend that lists no parts. Such a one (s3rver) reads a part while it is written, and completes with
 * half of each attempt: there an upload is not completed while one of its parts is on its way, by this process at least.
 */
export class PartsInFlight {
  readonly #counts = new Map<string, number>();

  has(upload: string): boolean {
    return this.#counts.has(upload);
  }

  async during<T>(upload: string, work: () => Promise<T>): Promise<T> {
    this.#counts.set(upload, (this.#counts.get(upload) ?? 0) + 1);
    try {
      return await work();
    } finally {
      const left = (this.#counts.get(upload) ?? 1) - 1;
      if (left > 0) this.#counts.set(upload, left);
      else this.#counts.delete(upload);
    }
  }
}
