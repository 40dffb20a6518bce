/** What `--with` says of the request that is asked about, by the names of condition keys. Errors: ERR_CLI_USAGE. */
import type { RequestFacts } from '../../keys/access/request.ts';
import type { AccessQuestion } from '../../keys/offline.ts';
import { CliError } from '../errors.ts';

export async function askedFacts(pairs: readonly string[], via: AccessQuestion['via']): Promise<RequestFacts> {
  const { PARAMETERS } = await import('../../keys/access/policy/condition-key.ts');
  const parameters: Record<string, string | readonly string[]> = {};
  let facts: RequestFacts = {};
  for (const text of pairs) {
    const [, name = '', value = ''] = /^([^=]+)=(.*)$/su.exec(text) ?? [];
    const parameter = PARAMETERS.find((known) => `kms:${known}`.toLowerCase() === name.toLowerCase());
    if (parameter === 'GrantOperations') parameters[parameter] = [...(parameters[parameter] ?? []), value];
    else if (parameter !== undefined) parameters[parameter] = value;
    else facts = { ...facts, ...connectionFact(name.toLowerCase(), value) };
  }
  if (via !== 'kms' && Object.keys(facts).length > 0)
    throw new CliError(
      'ERR_CLI_USAGE',
      `a request --via ${via} has no connection that a key’s policies see: it is made within the process, without address and user agent, and aws:SecureTransport is true`,
    );
  return { ...facts, parameters };
}

function connectionFact(name: string, value: string): RequestFacts {
  switch (name) {
    case 'aws:sourceip':
      return { sourceIp: value };
    case 'aws:useragent':
      return { userAgent: value };
    case 'aws:securetransport':
      if (value === 'true' || value === 'false') return { secureTransport: value === 'true' };
      break;
  }
  throw new CliError(
    'ERR_CLI_USAGE',
    '--with takes what a request says: kms:<parameter>=<value>, aws:SourceIp=…, aws:UserAgent=…, aws:SecureTransport=true|false',
  );
}
