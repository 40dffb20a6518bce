/** What an array is, whatever its form: dimensions, and elements row by row. */
import { unsupported } from '../errors.ts';

/** The dimensions of an array, outermost first; none: it has no elements. */
export type ArrayShape = readonly { readonly size: number; readonly lower: number }[];

/** Undefined is NULL. */
export type ArrayElements = readonly (Uint8Array | undefined)[];

export type ShapedElements = { readonly shape: ArrayShape; readonly elements: ArrayElements };

/** MAXDIM in src/include/utils/array.h. */
export const MAX_DIMENSIONS = 6;

export function listOf(elements: ArrayElements): ShapedElements {
  return { shape: elements.length === 0 ? [] : [{ size: elements.length, lower: 1 }], elements };
}

/** The elements of a list of values, as `= ANY` and `unnest` take them; where it begins to count says nothing there. */
export function listed({ shape, elements }: ShapedElements): ArrayElements {
  if (shape.length <= 1) return elements;
  throw unsupported(
    'arrays of several dimensions are not supported for a sealed column',
    'Send a one-dimensional array.',
  );
}
