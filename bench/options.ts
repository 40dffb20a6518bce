/** What every lane gets. */
export type BenchOptions = {
  readonly rounds: number;
  /** Of each pgbench run. */
  readonly seconds: number;
  /** To the person who waits. */
  readonly say: (line: string) => void;
  /** Results, as Markdown. */
  readonly print: (text: string) => void;
};
