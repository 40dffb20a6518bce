/** A signature as botocore makes one: only content-type, host, x-amz-date and x-amz-target, and the body's hash in no header. */
import { createHash, createHmac } from 'node:crypto';
import type { AccessKey } from '../../../src/sigv4/verify.ts';
import { REGION } from '../kms/edge.ts';

const hmac = (key: string | Uint8Array, text: string): Buffer => createHmac('sha256', key).update(text).digest();
const sha256 = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

export function botocoreSignature(
  port: number,
  body: Uint8Array,
  key: AccessKey,
  target = 'ListKeys',
): Record<string, string> {
  const date = `${new Date().toISOString().slice(0, 19).replaceAll(/[-:]/gu, '')}Z`;
  const headers: Record<string, string> = {
    'content-type': 'application/x-amz-json-1.1',
    host: `127.0.0.1:${port}`,
    'x-amz-date': date,
    'x-amz-target': `TrentService.${target}`,
  };
  const names = Object.keys(headers).join(';');
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`);
  const canonical = ['POST', '/', '', lines.join(''), names, sha256(body)].join('\n');
  const scope = `${date.slice(0, 8)}/${REGION}/kms/aws4_request`;
  const day = hmac(`AWS4${key.secretAccessKey}`, date.slice(0, 8));
  const signing = hmac(hmac(hmac(day, REGION), 'kms'), 'aws4_request');
  const signature = hmac(signing, `AWS4-HMAC-SHA256\n${date}\n${scope}\n${sha256(canonical)}`).toString('hex');
  const authorization = `AWS4-HMAC-SHA256 Credential=${key.accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`;
  return { ...headers, authorization };
}
