/** Places in the text of a schema change that the syntax tree does not say: where a type, a clause, a list's item ends. */
import type { SourceText } from '../text/source-text.ts';
import type { Span } from '../text/inner-query.ts';
import { refuseDdl, DIRECTLY } from './errors.ts';

/** Words that end the name of a type: what may stand behind it in a column's definition or in ALTER COLUMN TYPE. None is part of one. */
const AFTER_TYPE: ReadonlySet<string> = new Set([
  'check',
  'collate',
  'compression',
  'constraint',
  'default',
  'deferrable',
  'enforced',
  'generated',
  'initially',
  'not',
  'null',
  'options',
  'primary',
  'references',
  'storage',
  'unique',
  'using',
]);

/** The name of the type that starts at a byte offset, with modifiers and array bounds. */
export function typeSpan(source: SourceText, start: number, limit: number): Span {
  const first = tokenAt(source, start);
  let index = first + 1;
  for (let depth = 0; index < source.tokens.length; index++) {
    const text = source.tokenText(index);
    if ((source.tokens[index]?.start ?? limit) >= limit) break;
    if (depth === 0 && (endsItem(text) || AFTER_TYPE.has(text.toLowerCase()))) break;
    depth += depthOf(text);
  }
  return { start, end: source.tokens[index - 1]?.end ?? limit };
}

/** From a byte offset to the end of the item of its list: before the next comma, closing parenthesis, or the statement's end. */
export function restOfItem(source: SourceText, start: number, limit: number): Span {
  const first = tokenAt(source, start);
  let index = first;
  for (let depth = 0; index < source.tokens.length; index++) {
    const text = source.tokenText(index);
    if ((source.tokens[index]?.start ?? limit) >= limit) break;
    if (depth === 0 && endsItem(text)) break;
    depth += depthOf(text);
  }
  return { start, end: source.tokens[index - 1]?.end ?? limit };
}

/** The last token before a byte offset, if it is that word. */
export function wordBefore(source: SourceText, start: number, word: string): number | undefined {
  const index = source.tokens.findLastIndex((token) => token.start < start && isWord(source, token.start, word));
  return source.tokens[index]?.start;
}

function isWord(source: SourceText, start: number, word: string): boolean {
  const index = source.tokenAt(start);
  return index !== undefined && source.tokenText(index).toLowerCase() === word;
}

/** The items of the first parenthesised list behind a byte offset, each as the indexes of its first and last token. */
export function listItems(
  source: SourceText,
  from: number,
): readonly { readonly first: number; readonly last: number }[] {
  const open = source.tokens.findIndex((token, index) => token.start >= from && source.tokenText(index) === '(');
  const items: { first: number; last: number }[] = [];
  if (open === -1) return items;
  let first = open + 1;
  for (let index = open + 1, depth = 0; index < source.tokens.length; index++) {
    const text = source.tokenText(index);
    if (depth === 0 && endsItem(text)) {
      items.push({ first, last: index - 1 });
      if (text !== ',') break;
      first = index + 1;
    }
    depth += depthOf(text);
  }
  return items;
}

export function tokenAt(source: SourceText, start: number): number {
  const index = source.tokenAt(start);
  if (index === undefined) throw refuseDdl('a part of the statement was not found in its text', start, DIRECTLY);
  return index;
}

function endsItem(text: string): boolean {
  return text === ',' || text === ')' || text === ';' || text === ']';
}

function depthOf(text: string): number {
  if (text === '(' || text === '[') return 1;
  return text === ')' || text === ']' ? -1 : 0;
}
