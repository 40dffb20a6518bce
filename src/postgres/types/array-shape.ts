/** The dimensions of an array, outermost first; none: it has no elements. */
export type ArrayShape = readonly { readonly size: number; readonly lower: number }[];

/** MAXDIM in src/include/utils/array.h. */
export const MAX_DIMENSIONS = 6;
