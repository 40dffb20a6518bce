/** One primitive’s known answer. */
export type SelfTest = {
  readonly name: string;
  /** Where the answer is published. */
  readonly source: string;
  readonly run: () => Uint8Array;
  /** Hex. */
  readonly answer: string;
};
