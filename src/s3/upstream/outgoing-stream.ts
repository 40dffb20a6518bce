/** What the signing client must know of a body that is streamed, which undici wraps or hides. */
import type { UpstreamRequest } from './client.ts';

type Body = UpstreamRequest['body'];

export type Watched = { readonly stream: Body; started(): boolean; failure(): unknown };

/** A stream that remembers whether it was read from and what it failed with. */
export function watched(body: Body): Watched {
  if (body === undefined || body instanceof Uint8Array)
    return { stream: body, started: () => false, failure: () => undefined };
  let started = false;
  let failure: unknown;
  const stream = through(body, (next) => {
    started = true;
    return next.catch((error: unknown) => {
      failure = error;
      throw error;
    });
  });
  return { stream, started: () => started, failure: () => failure };
}

/** The same stream; `see` is shown each piece before it is given out. */
export function tapped(body: AsyncIterable<Uint8Array>, see: (piece: Uint8Array) => void): AsyncIterable<Uint8Array> {
  return through(body, async (next) => {
    const result = await next;
    if (result.done !== true) see(result.value);
    return result;
  });
}

type Next = Promise<IteratorResult<Uint8Array>>;

/** A plain iterator: a generator around each generator costs more than the bytes it hands on. */
function through(body: AsyncIterable<Uint8Array>, each: (next: Next) => Next): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]: () => {
      const source = body[Symbol.asyncIterator]();
      return {
        next: () => each(source.next()),
        return: async () => (await source.return?.()) ?? { done: true, value: undefined },
      };
    },
  };
}
