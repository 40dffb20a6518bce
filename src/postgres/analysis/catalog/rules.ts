/** A column rule as far as statements are concerned, whether or not the live catalog has the column: its table is hot by name. */
export type RuledColumn = {
  readonly schema: string;
  readonly table: string;
  readonly column: string;
  /** PostgreSQL's spelling: `numeric(10,2)`. */
  readonly type: string;
  readonly mode: 'randomized' | 'deterministic';
  /** Only of deterministic columns. */
  readonly domain: string | undefined;
  /** Values keep their form, and the column its type. */
  readonly format?: unknown;
  /** Whether the column must have the guard domain; otherwise it is plain bytea. */
  readonly guard: boolean;
  /** What the proxy applies, and the server is not told. */
  readonly default?: string;
  readonly checks?: readonly { readonly name: string; readonly expression: string }[];
};
