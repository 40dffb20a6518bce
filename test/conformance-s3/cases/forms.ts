/** Uploads by HTML form. */
import { createHmac } from 'node:crypto';
import type { Case } from '../case.ts';
import type { Answer, Side } from '../twins.ts';

const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/** The form that a browser would send, with a policy of `conditions` signed as S3 wants it. */
function post(side: Side, fields: Readonly<Record<string, string>>, conditions: readonly unknown[]): Promise<Answer> {
  const { accessKeyId, secretAccessKey } = side.credentials;
  const time = new Date().toISOString().replace(/[-:]|\.\d+/gu, '');
  const day = time.slice(0, 8);
  const signing = {
    'x-amz-algorithm': 'AWS4-HMAC-SHA256',
    'x-amz-credential': `${accessKeyId}/${day}/us-east-1/s3/aws4_request`,
    'x-amz-date': time,
  };
  const bound = Object.entries(signing).map(([name, value]) => ({ [name]: value }));
  const expiration = new Date(Date.now() + 60_000).toISOString();
  const all = [{ bucket: side.bucket }, ...bound, ...conditions];
  const policy = Buffer.from(JSON.stringify({ expiration, conditions: all })).toString('base64');
  const key = ['us-east-1', 's3', 'aws4_request'].reduce(hmac, hmac(`AWS4${secretAccessKey}`, day));
  const form = new Map(
    Object.entries({ ...fields, ...signing, policy, 'x-amz-signature': hmac(key, policy).toString('hex') }),
  );
  const parts = [...form].map(
    ([name, value]) => `--form\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  const file =
    '--form\r\nContent-Disposition: form-data; name="file"; filename="f.txt"\r\nContent-Type: text/plain\r\n\r\nhello\r\n';
  return side.send({
    method: 'POST',
    unsigned: true,
    headers: { 'content-type': 'multipart/form-data; boundary=form' },
    body: `${parts.join('')}${file}--form--\r\n`,
  });
}

export const FORM_CASES: readonly Case[] = [
  {
    operation: 'PostObject',
    what: 'a file, and the object it made',
    run: async (side) => [await post(side, { key: 'k' }, [{ key: 'k' }]), await side.send({ method: 'GET', key: 'k' })],
  },
  {
    operation: 'PostObject',
    what: 'answered 201, with a document',
    run: (side) =>
      post(side, { key: 'k', success_action_status: '201' }, [{ key: 'k' }, { success_action_status: '201' }]),
  },
  {
    operation: 'PostObject',
    what: 'a key that the policy does not allow',
    run: (side) => post(side, { key: 'other' }, [{ key: 'k' }]),
  },
];
