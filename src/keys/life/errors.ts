/** What goes wrong where the life of a key is over. */
import type { ErrorCatalogue } from '../../errors.ts';
import { KEYS_EXIT } from '../exit-code.ts';

export const LIFE_ERRORS = {
  ERR_KEYS_PERIOD_OVER: {
    says: 'A period or a limit of the key’s material is over, and by the profile `nist` it does this no more.',
    why: 'Its originator-usage period has ended or a limit is reached, and it cannot be rotated by itself (keys that were imported, that sign, make MACs or are RSA); or its recipient-usage period has ended and `recipientEnd` is `deny`.',
    fix: 'Import new material and rotate to it, or make a new key and point the alias at it. To go on with this one, say a longer period or another limit for it, with the reason, in `keys.life.rules`. `sealgate keys report` shows what is due and when.',
    exit: KEYS_EXIT,
  },
  ERR_KEYS_WEAK_WRAPPING: {
    says: 'A wrapping key is weaker than the material that it is to wrap.',
    why: 'RSA_2048 has 112 bits of security strength, RSA_3072 and RSA_4096 have 128 (SP 800-57 part 1, table 2): less than AES-256. By the profile `nist` that is refused.',
    fix: 'Let the key make its own material. Where it has to be imported, say `weakWrapping: warn` for this key, with the reason, in `keys.life.rules`.',
    exit: KEYS_EXIT,
  },
} as const satisfies ErrorCatalogue;
