/** A material that may protect no more, of a key that can have another: whoever records the use has it rotated, and asks again. */
import { KeysError } from '../../errors.ts';

export class RotationDue extends KeysError {
  readonly keyId: string;
  /** That were to be protected: they may be what is too much. */
  readonly bytes: number;

  constructor(keyId: string, bytes: number, message: string) {
    super('ERR_KEYS_PERIOD_OVER', message);
    this.keyId = keyId;
    this.bytes = bytes;
  }
}
