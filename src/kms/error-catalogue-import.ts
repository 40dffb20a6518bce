/** The part of the catalogue that is about importing key material. */
import { row, type KmsCatalogue } from './error-row.ts';

export const IMPORT_ERRORS = {
  ERR_KMS_INVALID_IMPORT_TOKEN: row(
    'InvalidImportTokenException',
    400,
    'The import token is not valid.',
    'It was changed or cut, another key manager gave it, or it was given for another key.',
    'Call GetParametersForImport for this key, and use its token and public key together.',
  ),
  ERR_KMS_EXPIRED_IMPORT_TOKEN: row(
    'ExpiredImportTokenException',
    400,
    'The import token has expired.',
    'Token and wrapping key are valid for 24 hours.',
    'Call GetParametersForImport again, and wrap the material with the new public key.',
  ),
  ERR_KMS_INCORRECT_KEY_MATERIAL: row(
    'IncorrectKeyMaterialException',
    400,
    'The key material is not what the key needs.',
    "It is not of the key's kind or length, not the material that was imported before, or it was to be new and is not.",
    'Import exactly what was imported before; `aws kms list-key-rotations --include-key-material ALL_KEY_MATERIAL` shows what the key has.',
  ),
} as const satisfies KmsCatalogue;
