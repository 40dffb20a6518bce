/** What the signing client must know of a body that is streamed, which undici wraps or hides. */
import { mapped, through } from '../bodies/through.ts';
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
  return mapped(body, (piece) => {
    see(piece);
    return piece;
  });
}
