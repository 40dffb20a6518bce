/** Reads the heads of HTTP/1.1 messages with little work, for the bench's own client and store: both ends must cost less than what is measured. */

export type Head = { readonly first: string; readonly headers: ReadonlyMap<string, string> };

const END = Buffer.from('\r\n\r\n');

export class HeadReader {
  #pending: Buffer = Buffer.alloc(0);

  /** The head once it is whole, and what follows it. */
  take(chunk: Buffer): { readonly head: Head | undefined; readonly rest: Buffer } {
    const bytes = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    const end = bytes.indexOf(END);
    if (end < 0) {
      this.#pending = Buffer.from(bytes);
      return { head: undefined, rest: bytes.subarray(bytes.length) };
    }
    this.#pending = Buffer.alloc(0);
    return { head: parseHead(bytes.toString('latin1', 0, end)), rest: bytes.subarray(end + END.length) };
  }
}

function parseHead(text: string): Head {
  const [first = '', ...lines] = text.split('\r\n');
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  return { first, headers };
}
