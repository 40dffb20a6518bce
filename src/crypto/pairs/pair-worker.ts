/** The thread of `pair-thread.ts`: one job after the other. */
import { parentPort } from 'node:worker_threads';
import { unreachable } from '../../errors.ts';
import { signDigest, verifyDigest } from './digest-signature.ts';
import { withOwnBytes, type NumberedJob, type NumberedResult, type PairJob, type PairResult } from './pair-job.ts';
import { decryptOaep, encryptOaep } from './rsa-oaep.ts';

const NO: PairResult = { type: 'no' };

function done(job: PairJob): PairResult {
  switch (job.type) {
    case 'sign':
      return { type: 'bytes', bytes: signDigest(job.scheme, job.key, job.digest) };
    case 'verify':
      return verifyDigest(job.scheme, job.key, job.digest, job.signature) ? { type: 'yes' } : NO;
    case 'encrypt':
      return { type: 'bytes', bytes: encryptOaep(job.hash, job.key, job.plaintext) };
    case 'decrypt': {
      const bytes = decryptOaep(job.hash, job.key, job.ciphertext);
      return bytes === undefined ? NO : { type: 'bytes', bytes };
    }
    default:
      return unreachable(job);
  }
}

function answered(job: PairJob): PairResult {
  try {
    return done(job);
  } catch (error) {
    return { type: 'failed', reason: error instanceof Error ? error.message : 'unknown' };
  }
}

parentPort?.on('message', ({ id, job }: NumberedJob) => {
  const result = answered(job);
  const { message, transfer } = withOwnBytes(result);
  parentPort?.postMessage({ id, result: message } satisfies NumberedResult, transfer);
  // Either may be a plaintext.
  if (job.type === 'encrypt') job.plaintext.fill(0);
  if (result.type === 'bytes') result.bytes.fill(0);
});
