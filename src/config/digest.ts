/**
 * A config in 32 bytes, its secrets included: whether two processes run the same one. Not to be logged: a weak secret could be guessed by it.
 * What a listener serves TLS with counts by the names of its files alone: it comes anew while the processes serve.
 */
import { createHash } from 'node:crypto';
import type { Config } from './config.ts';
import { Secret } from './secret.ts';

export function configDigest(config: Config): string {
  const text = JSON.stringify(
    withoutCertificates(config),
    function (this: Readonly<Record<string, unknown>>, key, value: unknown) {
      // `value` is what `toJSON` made of it, which tells no secret.
      const held = this[key];
      return held instanceof Secret ? ['secret', held.reveal()] : value;
    },
  );
  return createHash('sha256').update(text).digest('base64');
}

function withoutCertificates(config: Config): unknown {
  const { kms, s3, postgres } = config;
  return { ...config, kms: kms && filesOnly(kms), s3: s3 && filesOnly(s3), postgres: postgres && filesOnly(postgres) };
}

function filesOnly<Section extends { readonly listen: { readonly tls: { readonly files: unknown } | undefined } }>(
  section: Section,
): unknown {
  const { listen } = section;
  if (listen.tls === undefined) return section;
  return {
    ...section,
    listen: { ...listen, tls: { ...listen.tls, certificate: '', privateKey: '', clients: undefined } },
  };
}
