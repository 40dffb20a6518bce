/**
 * What a listener serves TLS with. It is read with the config, and again while the listener serves: certificates end and revocation lists
 * grow, and neither should need a restart.
 */
import { ConfigError } from './errors.ts';
import { ConfigFiles, type ReadFile } from './files.ts';
import type { ConfigPath } from './problem.ts';
import type { Secret } from './secret.ts';

export type ListenTlsFiles = {
  readonly certFile: string;
  readonly keyFile: string;
  /** Undefined: clients show no certificates. */
  readonly clientCaFile?: string | undefined;
  readonly clientCrlFile?: string | undefined;
  readonly clientCertificates?: 'optional' | 'required' | undefined;
};

export type ListenTlsConfig = {
  /** PEM, as all of it. */
  readonly certificate: string;
  readonly privateKey: Secret;
  /** Undefined: clients show no certificates. */
  readonly clients: { readonly ca: string; readonly crl: string | undefined; readonly required: boolean } | undefined;
  /** Absolute paths. */
  readonly files: ListenTlsFiles;
};

/** What cannot be read is a finding of `reader`. */
export async function readListenTls(
  files: ListenTlsFiles,
  reader: ConfigFiles,
  at: ConfigPath,
): Promise<ListenTlsConfig> {
  const { clientCaFile, clientCrlFile, clientCertificates } = files;
  const optional = (path: string | undefined): string | undefined =>
    path === undefined ? undefined : reader.absolute(path);
  return {
    ...(await reader.certificate(files, at)),
    clients:
      clientCaFile === undefined
        ? undefined
        : {
            ca: await reader.authorities(clientCaFile, [...at, 'clientCaFile']),
            crl:
              clientCrlFile === undefined
                ? undefined
                : await reader.revocationList(clientCrlFile, [...at, 'clientCrlFile']),
            required: clientCertificates === 'required',
          },
    files: {
      certFile: reader.absolute(files.certFile),
      keyFile: reader.absolute(files.keyFile),
      clientCaFile: optional(clientCaFile),
      clientCrlFile: optional(clientCrlFile),
      clientCertificates,
    },
  };
}

/** The same files as they are now. Errors: ERR_CONFIG_FILE, which names the first that cannot be read. */
export async function readListenTlsAgain(files: ListenTlsFiles, readFile: ReadFile): Promise<ListenTlsConfig> {
  const reader = new ConfigFiles(files.certFile, readFile);
  const tls = await readListenTls(files, reader, []);
  const [finding] = reader.findings;
  if (finding !== undefined) throw new ConfigError('ERR_CONFIG_FILE', finding.message);
  return tls;
}
