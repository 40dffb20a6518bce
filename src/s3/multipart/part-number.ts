/**
 * Part numbers as clients give them: 1 to 10 000, as on S3. The last one is the sealed list's where the list needs a part of its own, so a
 * client's part 10 000 has to be one that holds the list in its own padding.
 */
import { SHORT_PART_BYTES } from '../../envelope/limits.ts';
import { FOOTER_PART_NUMBER } from '../../envelope/object/footer.ts';
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

/** Throws ERR_S3_LAST_PART_NUMBER for a part 10 000 behind or in which there is no room for the list. */
export function refuseLastNumber(number: number, plainLength: number): void {
  if (number !== FOOTER_PART_NUMBER) return;
  if (plainLength === 0 || plainLength >= SHORT_PART_BYTES)
    throw new S3Error('ERR_S3_LAST_PART_NUMBER', undefined, {
      details: { ArgumentName: 'partNumber', ArgumentValue: String(number) },
    });
}
