/**
 * Identifiers beyond ASCII in a database of another encoding than UTF8. The server cuts them at 63 bytes of its own encoding, and in one of single bytes
 * makes letters beyond ASCII small as its locale has it; the grammar here does neither. What names a table with sealed columns there would be taken for
 * another name, and its statement sent on as it is.
 *
 * Source: downcase_truncate_identifier of parser/scansup.c.
 */
import { AnalysisError } from '../errors.ts';
import type { SourceText } from './source-text.ts';

const NAME_BYTES = 63;
const IS_ASCII = /^[\0-\x7f]*$/;
/** Spells any character in ASCII, with more bytes than it has. */
const ESCAPED = /u&"/i;
/** Strings of every kind, and parameters. */
const CONSTANT = /^(?:[a-z]|u&)?'|^\$/i;
const ASCII = /[\0-\x7f]+/g;

/** Whether the text may have such an identifier: errs on the side of yes. */
export function mayNameOtherwise(sql: string, serverEncoding: string): boolean {
  if (serverEncoding === 'UTF8') return false;
  if (IS_ASCII.test(sql)) return ESCAPED.test(sql);
  return (
    isOfTwo(sql, serverEncoding) ||
    sql.includes('"') ||
    isFolded(sql, serverEncoding) ||
    sql.split(/[\s(),;=.]+/).some(isCut)
  );
}

/** Errors: ERR_POSTGRES_NAME. */
export function requireServersIdentifiers(source: SourceText, serverEncoding: string): void {
  if (!mayNameOtherwise(source.sql, serverEncoding)) return;
  for (const [index, { start }] of source.tokens.entries()) {
    if (!isDoubtful(source.tokenText(index), serverEncoding)) continue;
    throw new AnalysisError(
      'ERR_POSTGRES_NAME',
      '0A000',
      `a name beyond ASCII is not read as the server reads it where the database has the encoding ${serverEncoding}`,
      start,
      'Write it in small letters or in double quotes, and no longer than 63 bytes in UTF-8.',
    );
  }
}

/** Of a token. */
function isDoubtful(text: string, serverEncoding: string): boolean {
  if (CONSTANT.test(text)) return false;
  if (isOfTwo(text, serverEncoding)) return true;
  if (/^u&"/i.test(text)) return isCut(text);
  if (IS_ASCII.test(text)) return false;
  return text.startsWith('"')
    ? isCut(text.slice(1, -1).replaceAll('""', '"'))
    : isCut(text) || isFolded(text, serverEncoding);
}

/** In EUC_JP these two are one character, which comes back as either: a name with it may be another here. Written, or in the digits of an escape. */
const TWO_IN_ONE = /[\u00a6\uffe4]|00a6|ffe4/i;

function isOfTwo(text: string, serverEncoding: string): boolean {
  if (serverEncoding !== 'EUC_JP') return false;
  return (ESCAPED.test(text) || !IS_ASCII.test(text)) && TWO_IN_ONE.test(text);
}

function isCut(name: string): boolean {
  return Buffer.byteLength(name) > NAME_BYTES;
}

/** In SQL_ASCII each byte of a letter is taken for one. */
function isFolded(text: string, serverEncoding: string): boolean {
  const beyond = text.replace(ASCII, '');
  return serverEncoding === 'SQL_ASCII' ? beyond !== '' : beyond.toLowerCase() !== beyond;
}
