/** A column rule's place, whether or not the live catalog has it: its table is hot by name. */
export type RuledColumn = { readonly schema: string; readonly table: string; readonly column: string };
