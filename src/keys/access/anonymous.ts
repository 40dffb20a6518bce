/**
 * Who asks the S3 gateway without a signature. It has a name, so that policies and audit records can say it, and no account: nothing
 * that is left to an account, or said of everybody, allows it anything; a key policy has to name it.
 */
const NAME = 'user/sealgate/anonymous';

export function anonymousPrincipal(account: string): string {
  return `arn:aws:iam::${account}:${NAME}`;
}

/** `resource`: what follows the account in an ARN of IAM. */
export function isAnonymous(resource: string): boolean {
  return resource === NAME;
}
