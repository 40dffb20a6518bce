/**
 * LIKE and regular expressions of CHECK constraints. What PostgreSQL's locale decides (letters and digits beyond ASCII, their case) is not
 * known here: values with such characters are refused where a pattern depends on it.
 *
 * Sources: src/backend/utils/adt/like_match.c; advanced regular expressions, manual 9.7.3.
 */
import { Automaton, type PatternTree } from './automaton.ts';
import { parseRegex } from './regex.ts';

export type Pattern = {
  readonly matches: (text: string) => boolean;
  /** What it says of characters beyond ASCII is the server's locale's. */
  readonly localeMatters: boolean;
};

const ANY: PatternTree = { type: 'character', matches: () => true };

/** Undefined: the server itself refuses the pattern. */
export function likePattern(pattern: string, insensitive: boolean, escape = '\\'): Pattern | undefined {
  const parts: PatternTree[] = [{ type: 'start' }];
  const characters = Array.from(pattern);
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at] ?? '';
    if (escape !== '' && character === escape) {
      const next = characters[++at];
      if (next === undefined) return undefined;
      parts.push(letter(next, insensitive));
    } else if (character === '%') parts.push({ type: 'repeat', part: ANY, min: 0, max: Infinity });
    else parts.push(character === '_' ? ANY : letter(character, insensitive));
  }
  return made({ type: 'sequence', parts: [...parts, { type: 'end' }] }, insensitive);
}

/** `~` and `~*`. Undefined: a form that is not evaluated here. */
export function regexPattern(expression: string, insensitive: boolean): Pattern | undefined {
  const parsed = parseRegex(expression, (character) => letter(character, insensitive));
  if (parsed === undefined || (insensitive && parsed.hasRanges)) return undefined;
  return made(parsed.tree, insensitive || parsed.localeMatters);
}

function made(tree: PatternTree, localeMatters: boolean): Pattern | undefined {
  try {
    const automaton = new Automaton(tree);
    return { matches: (text) => automaton.matches(text), localeMatters };
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function letter(character: string, insensitive: boolean): PatternTree {
  const wanted = character.codePointAt(0) ?? 0;
  if (!insensitive || !/[a-z]/i.test(character))
    return { type: 'character', matches: (codePoint) => codePoint === wanted };
  const [lower, upper] = [character.toLowerCase().codePointAt(0), character.toUpperCase().codePointAt(0)];
  return { type: 'character', matches: (codePoint) => codePoint === lower || codePoint === upper };
}
