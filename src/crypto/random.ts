/** Where fresh bytes come from. The edge passes `randomBytes` of node:crypto; only tests and frozen vectors pass anything else. */

/** Precondition: the bytes are unpredictable and never given twice; nonces, salts and keys are made of them. */
export type RandomSource = (bytes: number) => Uint8Array;
