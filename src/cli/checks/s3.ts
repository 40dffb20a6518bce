/** Checks of section `s3`: does the object store answer, are the buckets of the rules there, may the gateway use them? */
import type { S3Config } from '../../config/config.ts';
import { SealgateError } from '../../errors.ts';
import type { UpstreamClient } from '../../s3/upstream/client.ts';
import type { CheckFinding } from './report.ts';

export async function checkS3(s3: S3Config, upstream: UpstreamClient): Promise<readonly CheckFinding[]> {
  const about = `s3 upstream ${s3.upstream.endpoint}`;
  const findings: CheckFinding[] = [];
  const exact = [...new Set(s3.buckets.map(({ bucket }) => bucket).filter((bucket) => !bucket.endsWith('*')))];
  try {
    for (const bucket of exact) findings.push(await checkBucket(bucket, upstream));
    // Without any bucket to ask about, listing them tells at least whether somebody answers.
    if (exact.length === 0) findings.push(await checkAnswers(about, upstream));
  } catch (error) {
    const message = error instanceof SealgateError ? `${String(error.code)} ${error.message}` : 'no answer';
    findings.push({
      type: 'unreachable',
      about,
      message,
      fix: `try \`aws s3 ls --endpoint-url ${s3.upstream.endpoint}\` from this machine`,
    });
  }
  const patterns = s3.buckets.filter(({ bucket }) => bucket.endsWith('*')).length;
  if (patterns > 0)
    findings.push({
      type: 'note',
      about: 's3.buckets',
      message: `${patterns} rule(s) name buckets by pattern; those buckets are not looked up`,
    });
  return findings;
}

async function checkBucket(bucket: string, upstream: UpstreamClient): Promise<CheckFinding> {
  const about = `bucket ${bucket}`;
  const { status, body } = await upstream.send({ method: 'HEAD', bucket });
  await body.release();
  if (status < 300) return { type: 'ok', about, message: 'is there' };
  if (status === 404)
    return {
      type: 'missing',
      about,
      message: 'does not exist in the object store',
      fix: `create it through Sealgate or at the store: aws s3 mb s3://${bucket}`,
    };
  if (status === 403)
    return {
      type: 'missing',
      about,
      message: 'the gateway may not use it',
      fix: 'grant the identity of `s3.upstream.credentials` rights on the bucket',
    };
  if (status === 301 || status === 307)
    return {
      type: 'missing',
      about,
      message: 'lies in another region',
      fix: 'set `s3.upstream.region` and `endpoint` to its region',
    };
  return { type: 'missing', about, message: `the object store answered with status ${status}` };
}

async function checkAnswers(about: string, upstream: UpstreamClient): Promise<CheckFinding> {
  const { status, body } = await upstream.send({ method: 'GET' });
  await body.release();
  return status < 400
    ? { type: 'ok', about, message: 'answers' }
    : { type: 'note', about, message: `answers with status ${status} when asked for its buckets` };
}
