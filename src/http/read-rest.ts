/**
 * Reads on after an answer that came before its request's body. Closing at once would reset the connection under a client that is still
 * sending, and it would see a broken pipe where it should see the answer (RFC 9112, 9.6).
 *
 * Threat: a client that never ends its body: bytes, silence and time are bounded.
 */
import type { IncomingMessage } from 'node:http';

export type RestLimits = {
  /** Where more comes the connection is reset. */
  readonly maxBytes: number;
  /** Called with each piece, which nobody else reads. */
  readonly onPiece?: (piece: Buffer) => void;
};

/** A client that sends nothing for so long is not sending. */
const SILENCE_MS = 5000;
const LONGEST_MS = 30_000;

/** Resolves once the body is over, or too long, or too slow, or its connection closed; at once where it was read. Never rejects. */
export function readRest(incoming: IncomingMessage, { maxBytes, onPiece }: RestLimits): Promise<void> {
  if (incoming.complete || incoming.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const over = (): void => {
      clearTimeout(silence);
      clearTimeout(longest);
      resolve();
    };
    const silence = setTimeout(over, SILENCE_MS).unref();
    const longest = setTimeout(over, LONGEST_MS).unref();
    let left = maxBytes;
    incoming.on('data', (piece: Buffer) => {
      silence.refresh();
      left -= piece.length;
      onPiece?.(piece);
      if (left < 0) incoming.destroy();
    });
    incoming.on('end', over).on('close', over).on('error', over);
    incoming.resume();
  });
}
