/**
 * CompleteMultipartUpload: the sealed list of parts is put at the object's end (as part 10 000, or in the padding of a short last part),
 * then the backend completes. Idempotent: where the upload is gone and the object at the key is this upload's, of the parts that are named, it
 * had succeeded.
 */
import { hasRoomFor } from '../../envelope/object/footer.ts';
import { S3Error } from '../errors.ts';
import { documentRoom } from '../document-room.ts';
import { MAX_DOCUMENT_BYTES, NAMED_PART_BYTES } from '../limits.ts';
import { formatXml, type XmlContent } from '../listing/xml-tree.ts';
import { parseCompleteDocument, type NamedPart } from '../multipart/complete-document.ts';
import { alreadyCompleted, completeUpstream, type CompletedUpload } from '../multipart/complete-upstream.ts';
import { markedAsCompleting } from '../multipart/completion-mark.ts';
import { findParts } from '../multipart/named-parts.ts';
import { completedOtherwise, listsNamed, refuseOtherList } from '../multipart/own-list.ts';
import { openUpload, uploadKey, uploadName, type OpenUpload } from '../multipart/open-upload.ts';
import { checkCompleted, checkCompletedBefore } from '../multipart/check-completed.ts';
import { storedEtag } from '../multipart/list-parts-page.ts';
import { storeLastPart, type EndedObject } from '../multipart/last-part.ts';
import { sweepUpload } from '../multipart/sweep-upload.ts';
import type { GatewayContext, S3Operation, S3Request, S3Response } from '../operation.ts';
import { documentText } from '../request/document-text.ts';
import { objectChecksumContent } from '../sealing/checksum-headers.ts';
import { clientEtag } from '../sealing/etag.ts';
import { completedLayout, readFooter, rememberLayout } from '../sealing/object-layout.ts';
import { writeConditions } from '../sealing/write-conditions.ts';
import { encryptionHeaders } from '../sse/shown-encryption.ts';

export const completeMultipartUpload: S3Operation = {
  name: 'CompleteMultipartUpload',
  async handle(request, gateway) {
    const share = await documentRoom(request, gateway);
    try {
      const named = parseCompleteDocument(documentText(await request.body.bytes(MAX_DOCUMENT_BYTES)));
      // It may take minutes: only what is still needed is held meanwhile.
      share.shrinkTo(named.length * NAMED_PART_BYTES);
      const upload = await openUpload(request, gateway);
      const completed = await gateway.caches.endings.run(uploadName(upload), () =>
        completeOnce(request, gateway, upload, named),
      );
      await sweepUpload(gateway, upload);
      return answer(request, completed);
    } finally {
      share.giveBack();
    }
  },
};

async function completeOnce(
  request: S3Request,
  gateway: GatewayContext,
  upload: OpenUpload,
  named: readonly NamedPart[],
): Promise<CompletedUpload> {
  const key = await uploadKey(request, gateway, upload);
  const said = { partCount: named.length, shown: key.shown };
  let ended: EndedObject | undefined;
  try {
    // Who lists no parts may not know either that an upload is over (s3rver 5 breaks down when it is completed again): the mark looks.
    return await markedAsCompleting(gateway, upload, async () => {
      const found = await findParts(gateway, upload, named);
      ended = await storeLastPart(request, gateway, upload, key, { named, ...found });
      const conditions = await writeConditions(request, gateway);
      const completed = await completeUpstream(request, gateway, upload, ended.parts, conditions);
      await checkCompleted(request, gateway, key, ended.footer);
      await refuseOtherList(request, gateway, upload, key, { ...ended, etag: completed.etag });
      rememberUnlisted(request, gateway, completed.etag, ended);
      return { ...completed, ...said, checksum: ended.footer.checksum };
    });
  } catch (error) {
    if (!mayBeOver(error)) throw error;
    const raced = ended !== undefined && (await wasReplaced(gateway, upload, ended));
    const stored = await alreadyCompleted(request, gateway, upload);
    if (stored !== undefined) {
      const footer = await readFooter(request, gateway, stored, key);
      if (!(await listsNamed(request, gateway, { stored, key, footer }, named))) throw completedOtherwise(error);
      await checkCompletedBefore(request, gateway, key, { stored, footer });
      return { etag: stored.etag, versionId: stored.headers['x-amz-version-id'], ...said, checksum: footer.checksum };
    }
    throw raced ? new S3Error('ERR_S3_SLOW_DOWN', 'This upload is being completed. Please try again.') : error;
  }
}

/** What the object itself says of its parts only header by header is known here. */
function rememberUnlisted(
  request: S3Request,
  gateway: GatewayContext,
  etag: string,
  { parts, footer }: EndedObject,
): void {
  if (hasRoomFor(footer)) return;
  rememberLayout(request, gateway, completedLayout(etag, footer, parts.length > footer.parts.length));
}

/** Answers after which the upload may be over: it is not known any more, its parts are gone, or the backend broke down over it. */
const mayBeOver = (error: unknown): boolean =>
  error instanceof S3Error && (error.status >= 500 || error.status === 404 || error.s3Code === 'InvalidPart');

/** Another request that completes the same upload has put its own end in the place of ours, or has completed meanwhile. */
async function wasReplaced(gateway: GatewayContext, upload: OpenUpload, { parts }: EndedObject): Promise<boolean> {
  const end = parts.at(-1);
  try {
    return end !== undefined && (await storedEtag(gateway, upload, end.number)) !== end.etag;
  } catch {
    return false;
  }
}

function answer({ bucket, key, url }: S3Request, completed: CompletedUpload): S3Response {
  const body = formatXml('CompleteMultipartUploadResult', {
    Location: url,
    Bucket: bucket,
    Key: key,
    ETag: clientEtag(completed.etag),
    ...checksumContent(completed),
  });
  return {
    status: 200,
    headers: {
      'content-type': 'application/xml',
      'content-length': String(body.length),
      ...(completed.versionId === undefined ? {} : { 'x-amz-version-id': completed.versionId }),
      ...encryptionHeaders(completed.shown),
    },
    body,
  };
}

const checksumContent = ({ checksum, partCount }: CompletedUpload): Readonly<Record<string, XmlContent>> =>
  checksum === undefined ? {} : objectChecksumContent(checksum, partCount);
