/** Files that the config names: paths become absolute, contents are read, and what cannot be read is a finding with its place. */
import { dirname, resolve } from 'node:path';
import type { CertificateConfig } from './config.ts';
import { holdsCertificates, pairProblem, revocationProblem } from './pem.ts';
import type { ConfigPath, Finding } from './problem.ts';
import { Secret } from './secret.ts';

export type ReadFile = (path: string) => Promise<Uint8Array>;

const MAX_FILE_BYTES = 1024 * 1024;
/** A revocation list may name hundreds of thousands. */
const MAX_LIST_BYTES = 32 * 1024 * 1024;

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
  async text(path: string, at: ConfigPath, maxBytes = MAX_FILE_BYTES): Promise<string> {
    const file = this.absolute(path);
    try {
      const bytes = await this.#readFile(file);
      if (bytes.length > maxBytes) return this.#report(at, `${file} is larger than ${maxBytes / 1024 / 1024} MiB`);
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
  async pem(path: string, at: ConfigPath, maxBytes?: number): Promise<string> {
    const before = this.findings.length;
    const text = await this.text(path, at, maxBytes);
    if (this.findings.length === before && !text.includes('-----BEGIN '))
      this.#report(at, `${this.absolute(path)} is no PEM file`);
    return text;
  }

  /** Certificates to trust, PEM. */
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

  async revocationList(path: string, at: ConfigPath): Promise<string> {
    const before = this.findings.length;
    const text = await this.pem(path, at, MAX_LIST_BYTES);
    const problem = this.findings.length > before ? undefined : revocationProblem(text);
    return problem === undefined ? text : this.#report(at, `${this.absolute(path)} cannot be used: ${problem}`);
  }

  /** A certificate that is shown, and the key that goes with it. */
  async certificate(
    { certFile, keyFile }: { readonly certFile: string; readonly keyFile: string },
    at: ConfigPath,
  ): Promise<CertificateConfig> {
    const before = this.findings.length;
    const certificate = await this.pem(certFile, [...at, 'certFile']);
    const key = await this.pem(keyFile, [...at, 'keyFile']);
    const problem = this.findings.length > before ? undefined : pairProblem(certificate, key);
    const both = `${this.absolute(certFile)} and ${this.absolute(keyFile)}`;
    if (problem !== undefined) this.#report([...at, 'certFile'], `${both} cannot be used together: ${problem}`);
    return { certificate, privateKey: new Secret(key) };
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
