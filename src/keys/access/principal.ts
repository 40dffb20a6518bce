/** From the ARN, or the name of a service, that an edge authenticated to the caller that policies look at. */
import { isAnonymous } from './anonymous.ts';
import type { Principal } from './request.ts';

type Rest = Pick<Principal, 'tags'> & Partial<Pick<Principal, 'organizationId'>>;

/** As AWS's model has it, apart from its length. An ARN is none: it has colons. */
const SERVICE = /^[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+){2,}$/;

/** The name of a service that is a caller by itself, and not on behalf of a caller of its own: `backup.example.com`. */
export function isServiceName(text: string): boolean {
  return text.length <= 128 && SERVICE.test(text);
}

const IAM = /^arn:[a-z0-9-]+:(iam|sts)::(\d{12}):(.+)$/s;

/**
 * An ARN of no known form is a caller of no account: no policy that names an account or a principal speaks of it, and identity
 * policies of its own are the most it can have.
 */
export function principalOf(arn: string, rest: Rest = { tags: {} }): Principal {
  if (isServiceName(arn)) return { type: 'service', arn, account: undefined, provider: arn, ...rest };
  const [, service, account, resource = ''] = IAM.exec(arn) ?? [];
  if (account === undefined) return { type: 'user', arn, account: undefined, ...rest };
  const slash = resource.indexOf('/');
  const kind = slash < 0 ? resource : resource.slice(0, slash);
  const name = slash < 0 ? '' : resource.slice(slash + 1);
  if (service === 'iam' && isAnonymous(resource)) return { type: 'anonymous', arn, account: undefined, ...rest };
  if (service === 'iam' && kind === 'root') return { type: 'root', arn, account, ...rest };
  if (service === 'iam' && kind === 'user') {
    return { type: 'user', arn, account, userName: name.slice(name.lastIndexOf('/') + 1), ...rest };
  }
  if (service === 'sts' && kind === 'assumed-role') {
    const role = name.slice(0, Math.max(0, name.lastIndexOf('/')));
    return { type: 'role-session', arn, account, roleArn: `arn:aws:iam::${account}:role/${role}`, ...rest };
  }
  if (service === 'sts' && kind === 'federated-user') return { type: 'federated', arn, account, ...rest };
  return { type: 'user', arn, account, ...rest };
}
