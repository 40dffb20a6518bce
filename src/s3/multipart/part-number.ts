/** Part numbers as clients give them: 1 to 9999, since the footer's is 10 000. */
import { S3Error } from '../errors.ts';
import { MAX_PART_NUMBER } from '../sealing/limits.ts';

/** Throws ERR_S3_INVALID_PART_NUMBER. */
export function parsePartNumber(text: string | undefined): number {
  const number = /^[0-9]{1,5}$/u.test(text ?? '') ? Number(text) : 0;
  if (number < 1 || number > MAX_PART_NUMBER) throw new S3Error('ERR_S3_INVALID_PART_NUMBER');
  return number;
}
