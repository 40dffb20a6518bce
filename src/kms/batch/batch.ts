/**
 * One request for many uses of keys (docs/KMS.md). Each entry is what the action takes by itself, and is read, decided, recorded and
 * answered as if it were; what is wrong with one is answered in its place, and the others go on. What is wrong with us (5xx) ends
 * the request, as clients then ask again.
 */
import { KeysError } from '../../keys/errors.ts';
import { zeroBlobs, type Action, type ActionOutput, type DefinedAction, type KmsCall } from '../action.ts';
import { recordRefusal } from '../edge/refusal.ts';
import { KmsError } from '../errors.ts';
import { encodeJson } from '../json/write.ts';
import { asKmsError } from '../keys-errors.ts';
import { BATCH_SLICE_ENTRIES, MAX_BATCH_ENTRIES } from '../limits.ts';
import { readInput, type ReadStruct } from '../shapes/read.ts';
import { list, required, struct } from '../shapes/shapes.ts';
import { validate } from '../shapes/validate.ts';

/** That there are entries; what each is held against is its own action's matter. */
const SOME = struct({ Entries: required(list(struct({}), { min: 1 })) });

export function batchOf(name: string, entry: DefinedAction): Action {
  const shape = struct({ Entries: required(list(entry.input, { max: MAX_BATCH_ENTRIES })) });
  const handle = async (body: Uint8Array, call: KmsCall): Promise<Buffer> => {
    const read = readInput(body, shape);
    try {
      validate(read.value, SOME);
      // As `shape` read it.
      return encodeAndZero(await answers(entry, read.value['Entries'] as readonly ReadStruct[], call));
    } finally {
      read.wipe();
    }
  };
  return { name, handle };
}

/** In the order of the entries. Where it rejects nothing of a plaintext is left. */
async function answers(
  action: DefinedAction,
  entries: readonly ReadStruct[],
  call: KmsCall,
): Promise<readonly ActionOutput[]> {
  const started: Promise<ActionOutput>[] = [];
  let hasFailed = false;
  for (const [index, entry] of entries.entries()) {
    // Their records need not be waited for: those of all slices that are ready go out together.
    if (index > 0 && index % BATCH_SLICE_ENTRIES === 0) await new Promise(setImmediate);
    if (hasFailed) break;
    const resource = `${call.use.resource}, entry ${index + 1}`;
    const use = { ...call.use, resource, recorded: { isSo: false } };
    const entryCall = { ...call, use };
    const answer = action.answer(entry, entryCall).catch((error: unknown) => errorEntry(error, action.name, entryCall));
    // Heard at once: nobody awaits it yet, and an error that nobody hears ends the process.
    answer.catch(() => (hasFailed = true));
    started.push(answer);
  }
  try {
    return await Promise.all(started);
  } catch (error) {
    for (const one of await Promise.allSettled(started)) if (one.status === 'fulfilled') zeroBlobs(one.value);
    throw error;
  }
}

/** The answer in the place of an entry that is refused; throws what is no fault of the entry. */
async function errorEntry(error: unknown, action: string, call: KmsCall): Promise<ActionOutput> {
  const failure = error instanceof KeysError ? asKmsError(error) : error;
  if (!(failure instanceof KmsError) || failure.status >= 500) throw error;
  await recordRefusal(error, action, call);
  return { Error: { Code: failure.wireType, Message: failure.wireMessage } };
}

function encodeAndZero(outputs: readonly ActionOutput[]): Buffer {
  try {
    return encodeJson({ Entries: outputs.map((output) => output ?? {}) });
  } finally {
    for (const output of outputs) zeroBlobs(output);
  }
}
