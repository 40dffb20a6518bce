/**
 * A request's body, sealed as it flows. What completes it (the last tag, the record) is withheld until the body has verified: a body
 * that does not match its checksums, signature or length makes the stream throw, the upstream request ends unfinished, and nothing is
 * stored. Short bodies are sealed whole first, so that not even a request goes out for one that does not verify.
 */
import type { BodySealer } from '../../envelope/object/body-sealer.ts';
import type { BodyRecord } from '../../envelope/object/record.ts';
import { gather, type ByteSource } from '../bodies/byte-source.ts';
import { freeBytes } from '../bodies/spent-bytes.ts';
import type { VerifiedBody } from '../bodies/verified-body.ts';
import type { S3Body } from '../operation.ts';
import { MAX_BUFFERED_BYTES } from './limits.ts';

export type UpstreamPayload = { readonly body: Uint8Array | ByteSource; readonly contentLength: number };

/** What goes upstream for `body`. Reads all of it before resolving where it is short. */
export const sealedPayload = (body: S3Body, sealer: BodySealer): Promise<UpstreamPayload> =>
  sealedEnding(body, sealer, async () => sealer.finish(recordOf(await body.verified)));

type Lent = Pick<S3Body, 'lend'>;
/** What the sealer gives at the end. */
type End = () => Promise<readonly Uint8Array[]>;

/** Likewise, with an end that is asked for when all was taken. */
export async function sealedEnding(body: Lent, sealer: BodySealer, end: End): Promise<UpstreamPayload> {
  const stream = sealedStream(body, sealer, end);
  const contentLength = sealer.storedLength;
  return { body: contentLength > MAX_BUFFERED_BYTES ? stream : await gather(stream), contentLength };
}

const sealedStream = (body: Lent, sealer: BodySealer, end: End): ByteSource => ({
  pour: async (take) => {
    let sealed: Uint8Array[] = [sealer.header()];
    await body.lend((pieces) => {
      for (const piece of pieces) sealed.push(...sealer.push(piece));
      const whole = joined(sealed);
      sealed = [];
      return take([whole]);
    });
    await take([joined([...sealed, ...(await end())])]);
  },
});

/**
 * As one piece: a tag of 16 bytes would be a write of its own. In memory of its own: what shares a pool cannot be freed when it is sent, and of
 * TLS's pieces of 16 KiB every one would (docs/DECISIONS.md, "Sealed bytes lie in memory of their own").
 */
function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const [only, ...more] = pieces;
  if (only !== undefined && more.length === 0) return only;
  const whole = Buffer.allocUnsafeSlow(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
    freeBytes(piece);
  }
  return whole;
}

/** What is kept of a body that has verified. */
export const recordOf = ({ digests, checksum }: VerifiedBody): BodyRecord =>
  checksum === undefined ? { digests } : { digests, clientChecksum: checksum.algorithm };
