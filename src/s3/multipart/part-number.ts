/**
 * Part numbers as clients give them: 1 to 10 000, as on S3. The last one is the sealed list's where the list needs a part of its own; a
 * client's part 10 000 holds the list itself.
 */
import { SHORT_PART_BYTES } from '../../envelope/limits.ts';
import { FOOTER_PART_NUMBER } from '../../envelope/object/footer.ts';
import { MAX_PART_PLAIN_BYTES, MAX_PUT_PLAIN_BYTES } from '../../envelope/object/sizes.ts';
import { S3Error } from '../errors.ts';

/** Throws ERR_S3_INVALID_PART_NUMBER. */
export function parsePartNumber(text: string | undefined): number {
  const number = /^[0-9]{1,5}$/u.test(text ?? '') ? Number(text) : 0;
  if (number < 1 || number > FOOTER_PART_NUMBER)
    throw new S3Error('ERR_S3_INVALID_PART_NUMBER', undefined, {
      details: { ArgumentName: 'partNumber', ArgumentValue: text ?? '' },
    });
  return number;
}

/** Whether a part is held until the upload completes: it is the last one, and holds the list. */
export const isHeldUntilEnd = (number: number, plainLength: number): boolean =>
  plainLength < SHORT_PART_BYTES || number === FOOTER_PART_NUMBER;

/** Throws ERR_S3_LAST_PART_NUMBER for an empty part 10 000, which would pass for the list's own; ERR_S3_ENTITY_TOO_LARGE. */
export function refusePart(number: number, plainLength: number): void {
  const isHeld = isHeldUntilEnd(number, plainLength);
  if (plainLength > (isHeld ? MAX_PUT_PLAIN_BYTES : MAX_PART_PLAIN_BYTES)) throw new S3Error('ERR_S3_ENTITY_TOO_LARGE');
  if (number !== FOOTER_PART_NUMBER || plainLength > 0) return;
  throw new S3Error('ERR_S3_LAST_PART_NUMBER', undefined, {
    details: { ArgumentName: 'partNumber', ArgumentValue: String(number) },
  });
}
