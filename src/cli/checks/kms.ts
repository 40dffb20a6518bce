/** Checks of section `kms`: do certificate, key, CA and revocation list fit together, and may the callers do anything? */
import { createSecureContext } from 'node:tls';
import type { Config, KmsConfig } from '../../config/config.ts';
import { kmsTls } from '../options/kms.ts';
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
  const tls = kmsTls(kms.listen.tls);
  try {
    const { ca, crl } = tls.clients ?? {};
    createSecureContext({
      cert: tls.certificate,
      key: tls.privateKey,
      ...(ca === undefined ? {} : { ca }),
      ...(crl === undefined ? {} : { crl }),
    });
    return { type: 'ok', about, message: 'its certificates can be used' };
  } catch (error) {
    // OpenSSL's words name what is wrong with a file, and quote nothing of it.
    const reason = error instanceof Error ? error.message : 'unknown reason';
    return { type: 'missing', about, message: `its certificates cannot be used: ${reason}` };
  }
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
