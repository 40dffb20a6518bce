/** Checks of section `kms`: does it serve TLS, and may the callers do anything? */
import type { Config, KmsConfig } from '../../config/config.ts';
import type { CheckFinding } from './report.ts';

export function checkKms(kms: KmsConfig, { keys }: Config): readonly CheckFinding[] {
  return [
    tlsFinding(kms),
    ...idleCallers(
      kms,
      keys.access.identities.map(({ arn }) => arn),
    ),
  ];
}

function tlsFinding(kms: KmsConfig): CheckFinding {
  const about = `kms listener ${kms.listen.host}:${kms.listen.port}`;
  if (kms.listen.tls === undefined) return { type: 'note', about, message: 'speaks plain HTTP' };
  // What cannot be is a problem of the config, for all listeners.
  return { type: 'ok', about, message: 'its certificates can be used' };
}

/** A caller without policies of its own may still be named by a key policy, so this is no more than a note. */
function idleCallers({ clients }: KmsConfig, known: readonly string[]): readonly CheckFinding[] {
  const idle = new Map(
    clients.filter(({ principal }) => !known.includes(principal)).map((each) => [each.principal, each.name]),
  );
  return [...idle].map(([principal, name]) => ({
    type: 'note',
    about: `kms client ${name}`,
    message: `${principal} has no identity in keys.access: it may do only what key policies allow it by name`,
  }));
}
