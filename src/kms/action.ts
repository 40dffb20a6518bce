/** What an action is: its name, the shape of its input, and what it does; and what it is given for one request. */
import type { KeyUse } from '../keys/data-keys.ts';
import type { KeyManager } from '../keys/key-manager.ts';
import type { KeyRealm } from '../keys/arn.ts';
import { encodeJson, type JsonOutput } from './json/write.ts';
import { readInput, type ReadStruct } from './shapes/read.ts';
import type { StructShape } from './shapes/shapes.ts';
import { validate } from './shapes/validate.ts';

/** What the edge uses of the key manager. */
export type KmsKeys = Pick<
  KeyManager,
  | 'createKey'
  | 'describeKey'
  | 'enableKey'
  | 'disableKey'
  | 'createAlias'
  | 'updateAlias'
  | 'deleteAlias'
  | 'operations'
  | 'settings'
  | 'lifecycle'
>;

export type KmsCall = {
  readonly keys: KmsKeys;
  readonly realm: KeyRealm;
  readonly use: KeyUse;
};

/** Members of an answer; undefined: the answer is empty. */
export type ActionOutput = { readonly [member: string]: JsonOutput } | undefined;

export type Action = {
  readonly name: string;
  /** From a request's body to the answer's, which the caller zeroes once it is sent. Errors: KmsError, KeysError. */
  readonly handle: (body: Uint8Array, call: KmsCall) => Promise<Buffer>;
};

/** Blobs of the input are zeroed when `run` is done with them, and those of the output once they are encoded. */
export function defineAction<Input>(
  name: string,
  shape: StructShape<Input>,
  run: (input: Input, call: KmsCall) => Promise<ActionOutput> | ActionOutput,
): Action {
  const handle = async (body: Uint8Array, call: KmsCall): Promise<Buffer> => {
    const read = readInput(body, shape);
    try {
      validate(read.value, shape);
      // What was read by the shape and holds its limits is what the shape stands for.
      const input = read.value as Input;
      return encodeAndZero(await run(input, { ...call, use: withGrantTokens(call.use, read.value) }));
    } finally {
      read.wipe();
    }
  };
  return { name, handle };
}

function withGrantTokens(use: KeyUse, value: ReadStruct): KeyUse {
  // Wherever it is a member, its shape is `GRANT_TOKENS`.
  const grantTokens = value['GrantTokens'] as readonly string[] | undefined;
  return grantTokens === undefined ? use : { ...use, request: { ...use.request, grantTokens } };
}

function encodeAndZero(output: ActionOutput): Buffer {
  if (output === undefined) return Buffer.alloc(0);
  try {
    return encodeJson(output);
  } finally {
    for (const value of Object.values(output)) if (value instanceof Uint8Array) value.fill(0);
  }
}
