/**
 * The trailer of an `aws-chunked` body: lines `name:value`, and `x-amz-trailer-signature` where it is signed. Line ends vary between
 * SDKs (some write `LF CR LF` before the signature), so empty lines are passed over; the last line must be ended.
 */
import { sameSignature, type ChunkSignatures } from '../../sigv4/chunk-signature.ts';
import { S3Error } from '../errors.ts';

/** Lower-case names. */
export type Trailer = ReadonlyMap<string, string>;

const SIGNATURE = 'x-amz-trailer-signature';

/** Reads (and with `signatures` verifies) the trailer. Throws ERR_S3_MALFORMED_TRAILER, ERR_S3_SIGNATURE_DOES_NOT_MATCH, ERR_S3_INCOMPLETE_BODY. */
export function parseTrailer(text: string, signatures: ChunkSignatures | undefined): Trailer {
  if (!text.endsWith('\n')) throw new S3Error('ERR_S3_INCOMPLETE_BODY');
  const trailer = new Map<string, string>();
  for (const line of text.split('\n').map((raw) => raw.replace(/\r$/u, ''))) {
    if (line === '') continue;
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).trim().toLowerCase();
    if (colon <= 0 || trailer.has(name)) throw new S3Error('ERR_S3_MALFORMED_TRAILER');
    trailer.set(name, line.slice(colon + 1).trim());
  }
  if (signatures !== undefined) verify(trailer, signatures);
  trailer.delete(SIGNATURE);
  return trailer;
}

function verify(trailer: Trailer, signatures: ChunkSignatures): void {
  const canonical = [...trailer]
    .filter(([name]) => name !== SIGNATURE)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}:${value}\n`)
    .join('');
  const given = trailer.get(SIGNATURE);
  if (given === undefined || !sameSignature(signatures.signTrailer(canonical), given)) {
    throw new S3Error('ERR_S3_SIGNATURE_DOES_NOT_MATCH');
  }
}
