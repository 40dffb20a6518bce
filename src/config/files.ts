/** Files that the config names: paths become absolute, contents are read, and what cannot be read is a finding with its place. */
import { X509Certificate } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import type { CertificateConfig } from './config.ts';
import type { ConfigPath, Finding } from './problem.ts';
import { Secret } from './secret.ts';

export type ReadFile = (path: string) => Promise<Uint8Array>;

const MAX_FILE_BYTES = 1024 * 1024;

export class ConfigFiles {
  readonly findings: Finding[] = [];
  readonly #folder: string;
  readonly #readFile: ReadFile;

  constructor(configPath: string, readFile: ReadFile) {
    this.#folder = dirname(configPath);
    this.#readFile = readFile;
  }

  absolute(path: string): string {
    return resolve(this.#folder, path);
  }

  /** The text of a file; where it cannot be read the empty text, and a finding. */
  async text(path: string, at: ConfigPath): Promise<string> {
    const file = this.absolute(path);
    try {
      const bytes = await this.#readFile(file);
      if (bytes.length > MAX_FILE_BYTES) return this.#report(at, `${file} is larger than 1 MiB`);
      const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
      return text.trim() === '' ? this.#report(at, `${file} is empty`) : text;
    } catch (error) {
      return this.#report(at, `cannot read ${file}: ${reasonOf(error)}`);
    }
  }

  /** The first line of a file. */
  async secret(path: string, at: ConfigPath): Promise<Secret> {
    const before = this.findings.length;
    const [line = ''] = (await this.text(path, at)).split(/\r?\n/u);
    if (line.trim() === '' && this.findings.length === before)
      this.#report(at, `the first line of ${this.absolute(path)} is empty`);
    return new Secret(line);
  }

  /** A PEM file, told by its first armour line. */
  async pem(path: string, at: ConfigPath): Promise<string> {
    const before = this.findings.length;
    const text = await this.text(path, at);
    if (this.findings.length === before && !text.includes('-----BEGIN '))
      this.#report(at, `${this.absolute(path)} is no PEM file`);
    return text;
  }

  /** Certificates to trust, PEM: OpenSSL leaves out what it cannot read of them, and would trust nobody, or others than are meant. */
  async authorities(path: string, at: ConfigPath): Promise<string> {
    const before = this.findings.length;
    const text = await this.pem(path, at);
    if (this.findings.length === before && !holdsCertificates(text))
      this.#report(at, `${this.absolute(path)} holds no certificates, or one that cannot be read`);
    return text;
  }

  /** A secret given in the file itself, or by `<name>File`; undefined where neither is there. */
  async secretOf(
    section: Readonly<Record<string, unknown>>,
    name: string,
    at: ConfigPath,
  ): Promise<Secret | undefined> {
    const direct = section[name];
    if (typeof direct === 'string') return new Secret(direct);
    const path = section[`${name}File`];
    return typeof path === 'string' ? this.secret(path, [...at, `${name}File`]) : undefined;
  }

  async certificate(
    tls: { readonly certFile: string; readonly keyFile: string },
    at: ConfigPath,
  ): Promise<CertificateConfig> {
    return {
      certificate: await this.pem(tls.certFile, [...at, 'certFile']),
      privateKey: new Secret(await this.pem(tls.keyFile, [...at, 'keyFile'])),
    };
  }

  #report(path: ConfigPath, message: string): string {
    this.findings.push({ code: 'ERR_CONFIG_FILE', path, at: 'value', message });
    return '';
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of the path is no folder',
};

/** What the operating system said, in words; never the error's own text, which may quote content. */
export function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  if (code === undefined || code.startsWith('ERR_ENCODING')) return 'it is no UTF-8 text';
  return REASONS[code] ?? code;
}

const BEGIN_CERTIFICATE = '-----BEGIN CERTIFICATE-----';

function holdsCertificates(text: string): boolean {
  const [, ...blocks] = text.split(BEGIN_CERTIFICATE);
  return blocks.length > 0 && blocks.every((block) => isCertificate(`${BEGIN_CERTIFICATE}${block}`));
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}
