/**
 * How an object's DEK is wrapped: directly by a KMS key, or through an intermediate (bucket or epoch) key, so that one call to the
 * key manager can serve many objects. The intermediate key's own wrap stands beside it, or is kept elsewhere under an id.
 *
 *   1 direct:  wrapped DEK
 *   2 inline:  intermediate id 16 | length 2 | wrapped intermediate key | wrapped DEK
 *   3 by id:   intermediate id 16 | wrapped DEK
 */
import { createHash } from 'node:crypto';
import { takeKey, type Dek, type Kek } from '../../crypto/key-types.ts';
import type { RandomSource } from '../../crypto/random.ts';
import { unreachable } from '../../errors.ts';
import { Reader, Writer, assertLength } from '../codec.ts';
import type { EncryptionContext } from '../encryption-context.ts';
import { malformed } from '../errors.ts';
import { unwrapKey, wrapKey } from '../wrapped-key.ts';

export const INTERMEDIATE_ID_BYTES = 16;

/** `wrapped` is the DEK's own wrap: a blob of the key manager's (of any provider) for `direct`, a wrapped key under the intermediate otherwise. */
export type KeyWrap =
  | { readonly type: 'direct'; readonly wrapped: Uint8Array }
  | {
      readonly type: 'inline';
      readonly intermediateId: Uint8Array;
      readonly wrappedIntermediate: Uint8Array;
      readonly wrapped: Uint8Array;
    }
  | { readonly type: 'byId'; readonly intermediateId: Uint8Array; readonly wrapped: Uint8Array };

export function encodeKeyWrap(wrap: KeyWrap): Uint8Array {
  switch (wrap.type) {
    case 'direct':
      return new Writer().uint8(1).bytes(wrap.wrapped).finish();
    case 'inline':
      assertLength(wrap.intermediateId, INTERMEDIATE_ID_BYTES, 'an intermediate key id');
      return new Writer()
        .uint8(2)
        .bytes(wrap.intermediateId)
        .block16(wrap.wrappedIntermediate)
        .bytes(wrap.wrapped)
        .finish();
    case 'byId':
      assertLength(wrap.intermediateId, INTERMEDIATE_ID_BYTES, 'an intermediate key id');
      return new Writer().uint8(3).bytes(wrap.intermediateId).bytes(wrap.wrapped).finish();
    default:
      return unreachable(wrap);
  }
}

/** Errors: ERR_ENVELOPE_MALFORMED. */
export function decodeKeyWrap(bytes: Uint8Array): KeyWrap {
  const reader = new Reader(bytes);
  const wrap = decodeByType(reader.uint8(), reader);
  if (wrap.wrapped.length === 0) throw malformed();
  return wrap;
}

function decodeByType(type: number, reader: Reader): KeyWrap {
  if (type === 1) return { type: 'direct', wrapped: reader.rest() };
  if (type !== 2 && type !== 3) throw malformed();
  const intermediateId = reader.bytes(INTERMEDIATE_ID_BYTES);
  if (type === 3) return { type: 'byId', intermediateId, wrapped: reader.rest() };
  return { type: 'inline', intermediateId, wrappedIntermediate: reader.block16(), wrapped: reader.rest() };
}

/** Wraps a DEK's bytes under an intermediate key: the wrapped-key format, with the intermediate's id for key uuid. */
export function wrapUnderIntermediate(
  input: {
    readonly intermediate: Kek;
    readonly intermediateId: Uint8Array;
    readonly plaintext: Uint8Array;
    readonly context: EncryptionContext;
  },
  random: RandomSource,
): Uint8Array {
  const { intermediate, intermediateId, plaintext, context } = input;
  const materialId = intermediateMaterialId(intermediateId);
  return wrapKey({ kek: intermediate, keyUuid: intermediateId, materialId, plaintext, context }, random);
}

/** Opens it. Errors: ERR_ENVELOPE_MALFORMED, ERR_ENVELOPE_OPEN_FAILED. */
export function unwrapUnderIntermediate(input: {
  readonly intermediate: Kek;
  readonly intermediateId: Uint8Array;
  readonly blob: Uint8Array;
  readonly context: EncryptionContext;
}): Dek {
  const { intermediate, intermediateId, blob, context } = input;
  const plaintext = unwrapKey({ kek: intermediate, materialId: intermediateMaterialId(intermediateId), blob, context });
  return takeKey('Dek', plaintext);
}

/** An intermediate key has one material for ever; its id follows from the key's. */
function intermediateMaterialId(intermediateId: Uint8Array): Uint8Array {
  assertLength(intermediateId, INTERMEDIATE_ID_BYTES, 'an intermediate key id');
  return createHash('sha256').update('sealgate intermediate key v1').update(intermediateId).digest();
}
