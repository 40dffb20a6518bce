/** Whom a client of the config stands for, as the door that it comes by names it. */
import type { Config } from '../../config/config.ts';
import { clientPrincipal } from '../../config/principals.ts';
import { CliError } from '../errors.ts';

/**
 * The principal of the client of this name: the one of the door `via` where both doors have such a client. A config that names no
 * clients at all is believed to be of a process without doors. Errors: ERR_CLI_USAGE for no client, and for several principals.
 */
export function principalOfClient(
  { keys, s3, kms }: Pick<Config, 'keys' | 's3' | 'kms'>,
  name: string,
  via: string,
): string {
  const usual = clientPrincipal(keys.account, name);
  if (s3 === undefined && kms === undefined) return usual;
  const ofS3 = (s3?.clients ?? []).filter((client) => client.name === name).map(() => usual);
  const ofKms = (kms?.clients ?? []).filter((client) => client.name === name).map(({ principal }) => principal);
  const nearest = via === 's3' ? ofS3 : ofKms;
  const [found, ...others] = new Set(nearest.length > 0 ? nearest : [...ofS3, ...ofKms]);
  if (found === undefined)
    throw new CliError('ERR_CLI_USAGE', `the config has no client ${name}; --principal takes any caller by its ARN`);
  if (others.length > 0)
    throw new CliError(
      'ERR_CLI_USAGE',
      `the client ${name} stands for several: name one of ${[found, ...others].join(', ')} by --principal`,
    );
  return found;
}
