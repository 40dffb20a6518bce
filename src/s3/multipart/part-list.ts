/** What the sealed list at the end of an object says of it, from the parts a client names and what is known of them. */
import { MAX_OBJECT_BYTES } from '../../envelope/limits.ts';
import type { FooterInput } from '../../envelope/object/footer.ts';
import { S3Error } from '../errors.ts';
import type { GatewayContext, S3Request } from '../operation.ts';
import type { NamedPart } from './complete-document.ts';
import type { FoundPart } from './named-parts.ts';
import { objectChecksum } from './object-checksum.ts';
import type { OpenUpload } from './open-upload.ts';

export type NamedAndFound = { readonly named: readonly NamedPart[]; readonly found: readonly FoundPart[] };

/** Precondition: every length is known. Throws ERR_S3_INVALID_REQUEST, ERR_S3_ENTITY_TOO_LARGE, and what `objectChecksum` throws. */
export async function partList(
  { headers }: S3Request,
  { options }: GatewayContext,
  upload: OpenUpload,
  { named, found }: NamedAndFound,
): Promise<FooterInput> {
  const parts = found.map(({ number, plainLength = 0 }) => ({ partNumber: number, plainLength }));
  refuseSize({ headers }, found);
  const measured = named.map((part, index) => {
    const { plainLength = 0, digests = {} } = found[index] ?? {};
    return { named: part, plainLength, digests };
  });
  const salts = found.flatMap(({ saltId }) => (saltId === undefined ? [] : [saltId]));
  const byDefault = options.defaultChecksum === 'none' ? undefined : options.defaultChecksum;
  return {
    parts,
    salts: salts.length === parts.length ? salts : undefined,
    checksum: await objectChecksum(headers, { chosen: upload.checksum, byDefault }, measured),
  };
}

/** Precondition: every length is known. Throws ERR_S3_INVALID_REQUEST, ERR_S3_ENTITY_TOO_LARGE. */
export function refuseSize({ headers }: Pick<S3Request, 'headers'>, found: readonly FoundPart[]): void {
  const size = found.reduce((sum, { plainLength = 0 }) => sum + plainLength, 0);
  refuseOtherSize(headers['x-amz-mp-object-size'], size);
  if (size > MAX_OBJECT_BYTES) throw new S3Error('ERR_S3_ENTITY_TOO_LARGE');
}

function refuseOtherSize(announced: string | undefined, size: number): void {
  if (announced === undefined || announced === String(size)) return;
  throw new S3Error(
    'ERR_S3_INVALID_REQUEST',
    /^[0-9]{1,16}$/u.test(announced)
      ? `The provided 'x-amz-mp-object-size' header value ${announced} does not match what was computed: ${size}`
      : 'Value for x-amz-mp-object-size header is invalid.',
  );
}
