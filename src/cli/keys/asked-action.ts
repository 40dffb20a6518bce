/** The permission that `--action` names. A misspelt one would be answered as one that nobody has. */
import { nearest } from '../../config/nearest.ts';
import { GRANT_OPERATIONS } from '../../keys/access/grants/grant.ts';
import { CliError } from '../errors.ts';

/** As AWS KMS spells it, however it was written; ERR_CLI_USAGE. */
export async function askedAction(written: string | undefined): Promise<string> {
  const name = written?.replace(/^kms:/iu, '');
  if (name === undefined || !/^[A-Za-z]+$/u.test(name))
    throw new CliError('ERR_CLI_USAGE', '--action takes the name of an action, as Decrypt');
  const { ACTIONS } = await import('../../kms/actions/index-table.ts');
  // The action ReEncrypt rests on two permissions, which are among those that grants give.
  const known = [...new Set([...ACTIONS.keys(), ...GRANT_OPERATIONS])].filter((action) => action !== 'ReEncrypt');
  const found = known.find((action) => action.toLowerCase() === name.toLowerCase());
  if (found !== undefined) return found;
  if (name.toLowerCase() === 'reencrypt')
    throw new CliError(
      'ERR_CLI_USAGE',
      '--action takes ReEncryptFrom for the source and ReEncryptTo for the destination',
    );
  const near = nearest(name, known);
  const hint = near === undefined ? '' : `; did you mean ${near}?`;
  throw new CliError('ERR_CLI_USAGE', `--action: KMS has no action of this name${hint}`);
}
