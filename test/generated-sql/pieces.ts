/** SQL text with values left open in it: written as constants, or as parameters. */
import { arrayText, type Parameter } from '../support/postgres/wire-asker.ts';

/** A value of a column's type, or a list of them. */
export type Hole = { readonly value: Parameter; readonly bare: boolean };
export type Piece = readonly (string | Hole)[];

/** Template of SQL: strings stand as they are, holes and pieces are put in. */
export function sql(texts: TemplateStringsArray, ...parts: readonly (string | number | Piece | Hole)[]): Piece {
  return texts.flatMap((text, index): Piece => {
    const part = parts[index];
    if (part === undefined) return [text];
    if (typeof part === 'number') return [text, String(part)];
    return Array.isArray(part) ? [text, ...(part as Piece)] : [text, part as string | Hole]; // isArray does not know readonly arrays
  });
}

export const joined = (pieces: readonly Piece[], separator: string): Piece =>
  pieces.flatMap((piece, index) => (index === 0 ? piece : [separator, ...piece]));

export const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

function constant({ value, bare }: Hole): string {
  if (value === null) return 'NULL';
  if (typeof value !== 'string') return quoted(arrayText(value));
  return bare ? value : quoted(value);
}

export const withConstants = (piece: Piece): string =>
  piece.map((part) => (typeof part === 'string' ? part : constant(part))).join('');

/** `shared`: what is the same everywhere is one parameter. */
export function withParameters(
  piece: Piece,
  shared = false,
): { readonly text: string; readonly values: readonly Parameter[] } {
  const values: Parameter[] = [];
  const numberOf = (value: Parameter): number => {
    const known = shared && typeof value === 'string' ? values.indexOf(value) : -1;
    return known < 0 ? values.push(value) : known + 1;
  };
  const text = piece.map((part) => (typeof part === 'string' ? part : `$${numberOf(part.value)}`)).join('');
  return { text, values };
}

/** As EXECUTE takes them. */
export const constantsOf = (piece: Piece): readonly string[] =>
  piece.filter((part) => typeof part !== 'string').map(constant);
