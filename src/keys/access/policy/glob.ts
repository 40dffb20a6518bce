/**
 * Wildcards: `*` is any characters, `?` exactly one (a UTF-16 unit).
 *
 * Threat: a policy's author and a request's maker may both be hostile. The leftmost place of each piece between two `*` is the
 * only one worth trying, so there is no backtracking: at most pattern × text comparisons, never exponential.
 */
export type GlobToken =
  { readonly type: 'text'; readonly text: string } | { readonly type: 'one' } | { readonly type: 'many' };

export type Glob = { readonly matches: (text: string) => boolean };

/** What stands between two `*`: texts at fixed offsets; the gaps are `?`. */
type Piece = { readonly length: number; readonly texts: readonly { readonly offset: number; readonly text: string }[] };

export function compileGlob(tokens: readonly GlobToken[]): Glob {
  const pieces = cutIntoPieces(tokens);
  const first = pieces[0] ?? { length: 0, texts: [] };
  const last = pieces.at(-1) ?? first;
  if (pieces.length === 1) return { matches: (text) => text.length === first.length && standsAt(first, text, 0) };
  const middle = pieces.slice(1, -1).filter(({ length }) => length > 0);
  return {
    matches: (text) => {
      const end = text.length - last.length;
      if (end < first.length || !standsAt(first, text, 0) || !standsAt(last, text, end)) return false;
      let at = first.length;
      for (const piece of middle) {
        const found = leftmost(piece, text, at, end);
        if (found < 0) return false;
        at = found + piece.length;
      }
      return true;
    },
  };
}

function cutIntoPieces(tokens: readonly GlobToken[]): readonly Piece[] {
  const pieces: Piece[] = [];
  let length = 0;
  let texts: { offset: number; text: string }[] = [];
  const cut = (): void => {
    pieces.push({ length, texts });
    length = 0;
    texts = [];
  };
  for (const token of tokens) {
    if (token.type === 'many') cut();
    else if (token.type === 'one') length += 1;
    else if (token.text !== '') {
      texts.push({ offset: length, text: token.text });
      length += token.text.length;
    }
  }
  cut();
  return pieces;
}

function standsAt({ texts }: Piece, text: string, at: number): boolean {
  for (const part of texts) if (!text.startsWith(part.text, at + part.offset)) return false;
  return true;
}

/** The first place in [from, end - length] where the piece stands; -1 for none. */
function leftmost(piece: Piece, text: string, from: number, end: number): number {
  const lastStart = end - piece.length;
  const [first] = piece.texts;
  if (first === undefined) return from <= lastStart ? from : -1;
  for (let at = from; at <= lastStart; at++) {
    // The engine's own search skips to where the piece's first text stands.
    const found = text.indexOf(first.text, at + first.offset);
    at = found - first.offset;
    if (found < 0 || at > lastStart) return -1;
    if (standsAt(piece, text, at)) return at;
  }
  return -1;
}
