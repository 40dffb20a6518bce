/**
 * The text of a client's document: UTF-8, and nothing else by its own words.
 *
 * Threat: read leniently it would name other keys than were meant; and a store that believes another encoding finds other elements in the same
 * bytes than the rules were asked about.
 * Source: Extensible Markup Language 1.0 (W3C), 4.3.3 and production 23.
 */
import { S3Error } from '../errors.ts';

const DECLARATION = /^\ufeff?\s*<\?xml\s/u;
const OF_UTF8 =
  /^\ufeff?\s*<\?xml\s+version\s*=\s*["']1\.[0-9]["'](?:\s+encoding\s*=\s*["'](?:utf-?8|us-ascii)["'])?(?:\s+standalone\s*=\s*["'](?:yes|no)["'])?\s*\?>/iu;

/** Throws ERR_S3_MALFORMED_XML. */
export function documentText(document: Uint8Array): string {
  const text = decoded(document);
  if (DECLARATION.test(text) && !OF_UTF8.test(text)) throw new S3Error('ERR_S3_MALFORMED_XML');
  return text;
}

function decoded(document: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(document);
  } catch (cause) {
    throw new S3Error('ERR_S3_MALFORMED_XML', undefined, { cause });
  }
}
