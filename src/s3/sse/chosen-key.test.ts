import { expect, test } from 'vitest';
import { KeysError, type KeysErrorCode } from '../../keys/errors.ts';
import { asKeyAnswers } from './chosen-key.ts';

/** It may be able to serve a little later, or by another process: clients try again after a 503, and show a 500 to people. */
const FOR_NOW: readonly KeysErrorCode[] = [
  'ERR_KEYS_AUDIT_UNAVAILABLE',
  'ERR_KEYS_CLOSED',
  'ERR_KEYS_OWNER',
  'ERR_KEYS_REMOTE_PROTOCOL',
  'ERR_KEYS_REMOTE_REFUSED',
  'ERR_KEYS_REMOTE_UNAVAILABLE',
  'ERR_KEYS_STORE_UNAVAILABLE',
  'ERR_KEYS_STORE_WRITE',
];

test.each(FOR_NOW)('%s of the key manager is a 503, without its words', async (code) => {
  const asked = asKeyAnswers(() => Promise.reject(new KeysError(code, 'alias/secret-name at kms.internal')));
  await expect(asked).rejects.toMatchObject({ code: 'ERR_S3_KEYS_UNREACHABLE', status: 503 });
  await expect(asked).rejects.not.toThrow('kms.internal');
});
