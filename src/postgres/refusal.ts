/** Where in the client's own text a refusal points. */
export type RefusalPlace = {
  /** 1-based character (not byte) position, as the ErrorResponse field P counts. */
  readonly position: number;
};
