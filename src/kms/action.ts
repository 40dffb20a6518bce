/** What an action is: its name, the shape of its input, and what it does; and what it is given for one request. */
import type { KeyUse } from '../keys/uses/data-keys.ts';
import type { KeyManager } from '../keys/key-manager.ts';
import type { KeyRealm } from '../keys/arn.ts';
import { askedByCaller } from './other-account.ts';
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
  | 'grants'
  | 'imports'
  | 'macs'
  | 'multiRegion'
  | 'recordRefusal'
  | 'pairs'
  | 'signatures'
>;

/** The keys of every region that is served. */
export type KmsRegions = { readonly regions: readonly string[]; inRegion(region: string): KmsKeys | undefined };

/** The region that a request addresses. */
export type RegionCall = { readonly keys: KmsKeys; readonly realm: KeyRealm };

export type KmsCall = RegionCall & { readonly use: KeyUse };

/** Members of an answer; undefined: the answer is empty. */
export type ActionOutput = { readonly [member: string]: JsonOutput } | undefined;

/** Everything here rejects with KmsError or KeysError. */
export type Action = {
  readonly name: string;
  /** From a request's body to the answer's, which the caller zeroes once it is sent. */
  readonly handle: (body: Uint8Array, call: KmsCall) => Promise<Buffer>;
};

/** An action that is asked for by itself, or as one entry of a batch. */
export type DefinedAction = Action & {
  readonly input: StructShape<unknown>;
  /** From what was read by `input`, not yet held against its limits, to the answer's members, whose blobs the caller zeroes. */
  readonly answer: (value: ReadStruct, call: KmsCall) => Promise<ActionOutput>;
};

/** Blobs of the input are zeroed when `run` is done with them, and those of the output once they are encoded. */
export function defineAction<Input>(
  name: string,
  shape: StructShape<Input>,
  run: (input: Input, call: KmsCall) => Promise<ActionOutput> | ActionOutput,
): DefinedAction {
  const answer = async (value: ReadStruct, call: KmsCall): Promise<ActionOutput> => {
    validate(value, shape);
    return askedByCaller(name, value, call, (input) =>
      // What was read by the shape and holds its limits is what the shape stands for.
      run(input as Input, { ...call, use: withGrantTokens(call.use, value) }),
    );
  };
  const handle = async (body: Uint8Array, call: KmsCall): Promise<Buffer> => {
    const read = readInput(body, shape);
    try {
      return encodeAndZero(await answer(read.value, call));
    } finally {
      read.wipe();
    }
  };
  return { name, handle, input: shape, answer };
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
    zeroBlobs(output);
  }
}

export function zeroBlobs(output: ActionOutput): void {
  for (const value of Object.values(output ?? {})) if (value instanceof Uint8Array) value.fill(0);
}
