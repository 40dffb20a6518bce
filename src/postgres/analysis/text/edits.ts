/** Splicing: what of a statement's text is replaced upstream. Everything else goes up as it was written, less comments. */
import type { SealedLiteral } from '../../plan.ts';
import type { SourceText } from './source-text.ts';

/** A list: text and values one after the other, for what the client did not write (defaults); the server is asked without it. */
export type Replacement = string | SealedLiteral | readonly (string | SealedLiteral)[];

export function isList(replacement: Replacement): replacement is readonly (string | SealedLiteral)[] {
  return Array.isArray(replacement);
}

/** Byte offsets of the message's text; `end` exclusive; `start === end` inserts. */
export type Edit = {
  readonly start: number;
  readonly end: number;
  readonly replacement: Replacement;
  /** The type a number or boolean has by itself, which decides what type comes out of an expression; strings have none. */
  readonly constantOid?: number | undefined;
};

export type SplicedText = {
  readonly pieces: readonly (string | SealedLiteral)[];
  readonly places: readonly number[];
};

/** The edited text of [start, end), in pieces, comments left out. Edits must not overlap; the same edit twice counts once. */
export function splice(source: SourceText, start: number, end: number, edits: readonly Edit[]): SplicedText {
  const comments = source.comments.map((comment): Edit => ({
    start: comment.start,
    end: comment.end,
    replacement: ' ',
  }));
  const ordered = [...edits, ...comments]
    .filter((edit) => edit.start >= start && edit.end <= end)
    .sort((a, b) => a.start - b.start || a.end - b.end);
  const pieces: (string | SealedLiteral)[] = [];
  const places: number[] = [];
  const add = (piece: string | SealedLiteral, from: number): void => {
    if (piece === '') return;
    pieces.push(piece);
    places.push(source.position(from));
  };
  const commentStarts = new Set(comments.map((comment) => comment.start));
  let at = start;
  let previous: Edit | undefined;
  for (const edit of ordered) {
    if (previous !== undefined && previous.start === edit.start && previous.end === edit.end && edit.end > edit.start)
      continue;
    if (edit.start < at) {
      // A comment inside of what is replaced goes with it.
      if (edit.end <= at && commentStarts.has(edit.start)) continue;
      throw new TypeError('edits overlap');
    }
    add(source.slice(at, edit.start), at);
    for (const piece of isList(edit.replacement) ? edit.replacement : [edit.replacement]) add(piece, edit.start);
    at = edit.end;
    previous = edit;
  }
  add(source.slice(at, end), at);
  return { pieces, places };
}
