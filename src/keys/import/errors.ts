/** What goes wrong when material is imported. */
import type { ErrorCatalogue } from '../../errors.ts';
import { KEYS_EXIT } from '../exit-code.ts';

export const IMPORT_ERRORS = {
  ERR_KEYS_IMPORT_TOKEN: {
    says: 'The import token is not valid, or is of another key.',
    why: 'It was changed or cut, another store gave it, or it was asked for with another key.',
    fix: 'Ask for parameters anew (GetParametersForImport) for this key, and wrap the material with the public key that comes with them.',
    exit: KEYS_EXIT,
  },
  ERR_KEYS_IMPORT_TOKEN_EXPIRED: {
    says: 'The import token has expired.',
    why: 'It is valid for 24 hours.',
    fix: 'Ask for parameters anew (GetParametersForImport), and wrap the material with the public key that comes with them.',
    exit: KEYS_EXIT,
  },
  ERR_KEYS_INCORRECT_MATERIAL: {
    says: 'The key material is not what this key needs.',
    why: 'It is not of the key’s kind or length, not the material that was imported before, or it was to be new and the key has it already.',
    fix: 'Import exactly the bytes that were imported before; ListKeyRotations shows the ids of a key’s materials.',
    exit: KEYS_EXIT,
  },
} as const satisfies ErrorCatalogue;
