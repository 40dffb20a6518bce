/** Uploads in parts by way of either of two gateways, step by step: for tests of what may happen between the steps. */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  UploadPartCommand,
  type CompletedPart,
} from '@aws-sdk/client-s3';
import { BUCKET, type SealedSetup } from './sealed.ts';

export const MIB = 1024 * 1024;

/** The first or the second gateway. */
export type By = 0 | 1;
export type Upload = { readonly Key: string; readonly UploadId: string };

export const createUpload = async ({ clients }: SealedSetup, Key: string): Promise<Upload> => {
  const { UploadId = '' } = await clients[0].send(new CreateMultipartUploadCommand({ Bucket: BUCKET, Key }));
  return { Key, UploadId };
};

export const sendPart = async (
  { clients }: SealedSetup,
  upload: Upload,
  PartNumber: number,
  Body: Uint8Array,
  by: By = 0,
): Promise<CompletedPart> => {
  const { ETag } = await clients[by].send(new UploadPartCommand({ Bucket: BUCKET, ...upload, PartNumber, Body }));
  return { PartNumber, ETag };
};

export const completeUpload = (
  { clients }: SealedSetup,
  upload: Upload,
  parts: readonly CompletedPart[],
  by: By = 0,
): Promise<unknown> =>
  clients[by].send(
    new CompleteMultipartUploadCommand({ Bucket: BUCKET, ...upload, MultipartUpload: { Parts: [...parts] } }),
  );

export const abortUpload = ({ clients }: SealedSetup, upload: Upload, by: By = 0): Promise<unknown> =>
  clients[by].send(new AbortMultipartUploadCommand({ Bucket: BUCKET, ...upload }));

export const readObject = async ({ clients }: SealedSetup, Key: string, by: By = 0): Promise<Buffer> => {
  const { Body } = await clients[by].send(new GetObjectCommand({ Bucket: BUCKET, Key }));
  return Buffer.from((await Body?.transformToByteArray()) ?? []);
};

/** `ok`, or the name of the error that the client is told. */
export const outcomeOf = (sent: Promise<unknown>): Promise<string> =>
  sent.then(
    () => 'ok',
    (error: { name: string }) => error.name,
  );
