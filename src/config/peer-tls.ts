/**
 * What is trusted at the other end of a connection that Sealgate makes, and what it shows there. It is read with the config, and again while
 * connections are made with it: certificates end, and who vouched for the other end may vouch no more.
 */
import type { CertificateConfig } from './config.ts';
import { ConfigError } from './errors.ts';
import { ConfigFiles, type ReadFile } from './files.ts';
import { formatPath, type ConfigPath } from './problem.ts';

/** Absolute paths; undefined: not given. */
export type PeerTlsFiles = {
  readonly caFile?: string | undefined;
  readonly crlFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
};

export type PeerTlsConfig = {
  /** Certificates to trust, and what of them is revoked: PEM. Undefined: the well-known ones. */
  readonly ca: string | undefined;
  readonly crl: string | undefined;
  readonly client: CertificateConfig | undefined;
  readonly files: PeerTlsFiles;
  /** Where the config says it, in its words. */
  readonly place: string;
};

/** Where files are named if not at `caFile` and `certFile`; findings about the client's certificate are at its `certFile`. */
export type PeerTlsPlaces = { readonly ca?: ConfigPath; readonly client?: ConfigPath };

/** What cannot be read is a finding of `reader`. */
export async function readPeerTls(
  { caFile, crlFile, certFile, keyFile }: PeerTlsFiles,
  reader: ConfigFiles,
  at: ConfigPath,
  { ca = [...at, 'caFile'], client = at }: PeerTlsPlaces = {},
): Promise<PeerTlsConfig> {
  const absolute = (path: string | undefined): string | undefined =>
    path === undefined ? undefined : reader.absolute(path);
  return {
    ca: caFile === undefined ? undefined : await reader.authorities(caFile, ca),
    crl: crlFile === undefined ? undefined : await reader.revocationList(crlFile, [...at, 'crlFile']),
    client:
      certFile === undefined || keyFile === undefined
        ? undefined
        : await reader.certificate({ certFile, keyFile }, client),
    files: {
      caFile: absolute(caFile),
      crlFile: absolute(crlFile),
      certFile: absolute(certFile),
      keyFile: absolute(keyFile),
    },
    place: formatPath(at),
  };
}

/** The same files as they are now. Errors: ERR_CONFIG_FILE, which names the first that cannot be read. */
export async function readPeerTlsAgain(tls: PeerTlsConfig, readFile: ReadFile): Promise<PeerTlsConfig> {
  // The paths are absolute: it matters to none of them where the config is.
  const reader = new ConfigFiles(tls.place, readFile);
  const now = await readPeerTls(tls.files, reader, []);
  const [finding] = reader.findings;
  if (finding !== undefined) throw new ConfigError('ERR_CONFIG_FILE', finding.message);
  // What no file was given for stays: the authorities of the system.
  return { ...now, ca: tls.files.caFile === undefined ? tls.ca : now.ca, place: tls.place };
}
