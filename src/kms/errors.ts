/** The KMS edge's errors: our stable codes, and the name and status each has on AWS's wire. `edge/respond.ts` writes them. */
import { SealgateError, type ErrorCode } from '../errors.ts';
import { KMS_ERRORS } from './error-catalogue.ts';
import type { KmsErrorEntry } from './error-row.ts';

export type KmsErrorCode = keyof typeof KMS_ERRORS & ErrorCode;

/** Codes that AWS answers without any text: to say which part of what was given is wrong would help whoever forged it. */
const SILENT: ReadonlySet<KmsErrorCode> = new Set([
  'ERR_KMS_INVALID_CIPHERTEXT',
  'ERR_KMS_INVALID_MAC',
  'ERR_KMS_WRONG_SIGNATURE',
]);

/** An error that ends one request. Without `message` the client reads the catalogue's text. */
export class KmsError extends SealgateError<KmsErrorCode> {
  readonly wireType: string;
  readonly status: number;
  /** What the client reads; undefined: the name alone. */
  readonly wireMessage: string | undefined;

  constructor(code: KmsErrorCode, message?: string, options?: ErrorOptions) {
    const entry: KmsErrorEntry = KMS_ERRORS[code];
    super(code, message ?? entry.says, options);
    this.name = 'KmsError';
    this.wireType = entry.wireType;
    this.status = entry.status;
    this.wireMessage = message ?? (SILENT.has(code) ? undefined : entry.says);
  }
}
