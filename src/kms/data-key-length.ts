/** How long a data key is to be: a number of bytes, or the name of an AES key. */
import { KmsError } from './errors.ts';
import { integer, oneOf } from './shapes/shapes.ts';

export const NUMBER_OF_BYTES = integer(1, 1024);
export const DATA_KEY_SPEC = oneOf('AES_256', 'AES_128');

/** Exactly one of the two has to be given. ERR_KMS_VALIDATION. */
export function dataKeyBytes({
  NumberOfBytes: bytes,
  KeySpec: spec,
}: {
  readonly NumberOfBytes: number | undefined;
  readonly KeySpec: 'AES_256' | 'AES_128' | undefined;
}): number {
  if ((bytes === undefined) === (spec === undefined))
    throw new KmsError('ERR_KMS_VALIDATION', 'Please specify either number of bytes or key spec.');
  return bytes ?? (spec === 'AES_128' ? 16 : 32);
}
