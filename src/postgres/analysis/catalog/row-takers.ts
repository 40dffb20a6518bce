/**
 * Trigger functions that take NEW or OLD as a whole: `to_jsonb(NEW)` of an audit names no column, and holds the ciphertext of all. PL/pgSQL alone:
 * other languages count as what may read anything, and what is compiled is not read (docs/SECURITY.md).
 */
import type { ReadRoutine } from './routine-texts.ts';

/** Comments, strings, and in them what looks like a row; names in quotes stay. */
const SILENT = /--[^\n]*|\/\*[\s\S]*?\*\/|\be'(?:[^'\\]|\\[\s\S]|'')*'|'(?:[^']|'')*'/gi;
/** What a trigger gives back is the row as it is: `RETURN NEW`, `RETURN COALESCE(NEW, OLD)`. */
const GIVEN_BACK = /\breturn\s*\(*\s*(?:coalesce\s*\(\s*(?:new|old)\s*,\s*(?:new|old)\s*\)|(?:new|old)\b)\s*\)*\s*;/gi;
/** Not followed by a field: `NEW.name`, `NEW."Name"`. */
const WHOLE_ROW = /\b(?:new|old)\b(?!\s*\.\s*["\p{L}_])/iu;

export function takesWholeRow({ language, body }: Pick<ReadRoutine, 'language' | 'body'>): boolean {
  if (language !== 'plpgsql') return false;
  return WHOLE_ROW.test(body.replaceAll(SILENT, ' ').replaceAll(GIVEN_BACK, ' '));
}
