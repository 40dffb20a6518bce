/** Section `kms`: files read, callers named in full, and what its parts have to say about each other. */
import type { z } from 'zod';
import type { KmsConfig } from '../config.ts';
import type { ConfigFiles } from '../files.ts';
import { readListenTls } from '../listen-tls.ts';
import { clientPrincipal } from '../principals.ts';
import type { ConfigPath, Finding } from '../problem.ts';
import type { kmsSchema } from '../schema/kms.ts';
import { Secret } from '../secret.ts';

type KmsFile = z.output<typeof kmsSchema>;
type ClientFile = KmsFile['clients'][number];

const LISTEN: ConfigPath = ['kms', 'listen'];
const CLIENTS: ConfigPath = ['kms', 'clients'];

export async function resolveKms(
  kms: KmsFile,
  account: string,
  files: ConfigFiles,
  findings: Finding[],
): Promise<KmsConfig> {
  findings.push(...listenFindings(kms.listen), ...secretFindings(kms.clients), ...sameClientTwice(kms.clients));
  findings.push(...certificateFindings(kms));
  const clients = [];
  for (const [index, client] of kms.clients.entries()) {
    const principal = client.principal ?? clientPrincipal(account, client.name);
    clients.push({ name: client.name, principal, ...(await credentialOf(client, [...CLIENTS, index], files)) });
  }
  const { host, port, tls } = kms.listen;
  return { listen: { host, port, tls: tls && (await readListenTls(tls, files, [...LISTEN, 'tls'])) }, clients };
}

type Credential =
  | { readonly type: 'access-key'; readonly accessKeyId: string; readonly secretAccessKey: Secret }
  | { readonly type: 'subject'; readonly subject: string }
  | { readonly type: 'name'; readonly certificateName: string };

async function credentialOf(client: ClientFile, at: ConfigPath, files: ConfigFiles): Promise<Credential> {
  const { certificate, accessKeyId } = client;
  if (certificate?.subject !== undefined) return { type: 'subject', subject: certificate.subject };
  if (certificate?.name !== undefined) return { type: 'name', certificateName: certificate.name };
  const secret = await files.secretOf(client, 'secretAccessKey', at);
  // The schema has made sure of an access key where there is no certificate.
  return { type: 'access-key', accessKeyId: accessKeyId ?? '', secretAccessKey: secret ?? new Secret('') };
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/u.test(host);

function listenFindings({ host, tls, allowPlaintext }: KmsFile['listen']): readonly Finding[] {
  if (tls === undefined) {
    if (allowPlaintext || isLoopback(host)) return [];
    const message = `keys would cross the network in clear: serve TLS (\`tls\`), or listen on 127.0.0.1; \`allowPlaintext: true\` is for a TLS proxy in front`;
    return [{ code: 'ERR_CONFIG_CONTRADICTION', path: [...LISTEN, 'host'], at: 'value', message }];
  }
  if (tls.clientCaFile !== undefined) return [];
  const at = [...LISTEN, 'tls'];
  const needs = (member: string): Finding => ({
    code: 'ERR_CONFIG_CONTRADICTION',
    path: [...at, member],
    at: 'key',
    message: '`clientCaFile` says what client certificates are checked with',
  });
  return [
    ...(tls.clientCrlFile === undefined ? [] : [needs('clientCrlFile')]),
    ...(tls.clientCertificates === 'required' ? [needs('clientCertificates')] : []),
  ];
}

/** An access key has exactly one secret, a certificate none. */
function secretFindings(clients: readonly ClientFile[]): readonly Finding[] {
  return clients.flatMap((client, index): Finding[] => {
    const given = (['secretAccessKey', 'secretAccessKeyFile'] as const).filter((name) => client[name] !== undefined);
    const path = [...CLIENTS, index];
    if (client.certificate !== undefined) {
      const message = 'belongs to `accessKeyId`, not to a certificate';
      return given.map((name) => ({ code: 'ERR_CONFIG_CONTRADICTION', path: [...path, name], at: 'key', message }));
    }
    if (given.length === 1) return [];
    const message = 'expected one of `secretAccessKey`, `secretAccessKeyFile`';
    return [
      { code: given.length === 0 ? 'ERR_CONFIG_MISSING' : 'ERR_CONFIG_CONTRADICTION', path, at: 'value', message },
    ];
  });
}

/** What a request shows must stand for one caller. */
function sameClientTwice(clients: readonly ClientFile[]): readonly Finding[] {
  const shown = clients.map(({ accessKeyId, certificate }) =>
    JSON.stringify([accessKeyId, certificate?.subject, certificate?.name]),
  );
  return shown.flatMap((each, index): Finding[] => {
    const first = shown.indexOf(each);
    if (first === index) return [];
    const message = 'a second client with the same access key id or certificate';
    return [
      { code: 'ERR_CONFIG_CONTRADICTION', path: [...CLIENTS, index], other: [...CLIENTS, first], at: 'value', message },
    ];
  });
}

function certificateFindings({ listen, clients }: KmsFile): readonly Finding[] {
  if (listen.tls?.clientCaFile !== undefined) return [];
  return clients.flatMap(({ certificate }, index): Finding[] =>
    certificate === undefined
      ? []
      : [
          {
            code: 'ERR_CONFIG_CONTRADICTION',
            path: [...CLIENTS, index, 'certificate'],
            at: 'key',
            message: 'certificates are shown only where `kms.listen.tls.clientCaFile` says what they are checked with',
          },
        ],
  );
}
