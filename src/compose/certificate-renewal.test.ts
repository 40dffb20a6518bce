import { rename, symlink, unlink, writeFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { certificate, CLIENT_CA, CLIENT_CRL } from '../../test/support/client-certificates.ts';
import { cliFolder, type CliFolder } from '../../test/support/cli.ts';
import { readListenTlsAgain, type ListenTlsConfig } from '../config/listen-tls.ts';
import { readFile } from 'node:fs/promises';
import { CertificateRenewal } from './certificate-renewal.ts';
import { ofListener } from './listener-certificates.ts';

let folder: CliFolder;
let taken: string[];
let logged: [string, object][];
let renewal: CertificateRenewal<ListenTlsConfig>;

const write = (name: string, text: string): Promise<void> => writeFile(folder.path(name), text);
const subjectsTaken = (): readonly string[] => taken.splice(0);

beforeEach(async () => {
  folder = cliFolder();
  [taken, logged] = [[], []];
  await Promise.all([
    write('a.crt', certificate('app').cert),
    write('a.key', certificate('app').key),
    write('ca.crt', CLIENT_CA),
    write('ca.crl', CLIENT_CRL),
  ]);
  const [certFile, keyFile] = [folder.path('a.crt'), folder.path('a.key')];
  const [clientCaFile, clientCrlFile] = [folder.path('ca.crt'), folder.path('ca.crl')];
  const files = { certFile, keyFile, clientCaFile, clientCrlFile };
  const log = (level: string) => (fields: object) => void logged.push([level, fields]);
  const tls = await readListenTlsAgain(files, (path) => readFile(path));
  const both = { info: log('info'), warn: log('warn') } as never;
  const take = ({ certificate: cert, privateKey, clients }: ListenTlsConfig): void => {
    createSecureContext({ cert, key: privateKey.reveal(), ca: clients?.ca, crl: clients?.crl ?? '' });
    taken.push(cert);
  };
  renewal = new CertificateRenewal(ofListener('kms', tls, both, take));
});
afterEach(() => folder[Symbol.dispose]());

test('What has not changed is not taken again', async () => {
  await renewal.look();
  await write('a.crt', certificate('app').cert);
  await renewal.look();
  expect([taken, logged]).toEqual([[], []]);
});

test('A new certificate is taken once, with its key, however the files are replaced', async () => {
  await write('a.crt', certificate('backup').cert);
  await renewal.look();
  await renewal.look();
  // Its key is not there yet: said once.
  expect(subjectsTaken()).toEqual([]);
  expect(logged).toEqual([['warn', { listener: 'kms', reason: expect.stringMatching(/key values mismatch/u) }]]);
  await write('new.key', certificate('backup').key);
  await rename(folder.path('new.key'), folder.path('a.key'));
  await renewal.look();
  await renewal.look();
  expect(subjectsTaken()).toEqual([certificate('backup').cert]);
  expect(logged.at(-1)).toEqual(['info', expect.objectContaining({ listener: 'kms', validTo: expect.any(String) })]);
  await Promise.all([write('app.crt', certificate('app').cert), write('app.key', certificate('app').key)]);
  for (const name of ['a.crt', 'a.key']) {
    await unlink(folder.path(name));
    await symlink(folder.path(`app${name.slice(1)}`), folder.path(name));
  }
  await renewal.look();
  expect(subjectsTaken()).toEqual([certificate('app').cert]);
});

test('So is a new list of those who are revoked, or who vouches for clients', async () => {
  for (const name of ['ca.crl', 'ca.crt']) {
    await write(name, `${name === 'ca.crl' ? CLIENT_CRL : CLIENT_CA}\n`);
    await renewal.look();
    expect(subjectsTaken()).toHaveLength(1);
  }
});

test.each(['a.crt', 'a.key', 'ca.crt', 'ca.crl'])(
  '%s that is gone, empty or half written changes nothing',
  async (name) => {
    const whole = await readFile(folder.path(name), 'utf8');
    for (const text of ['', whole.slice(0, 150), 'nothing of the kind']) {
      await write(name, text);
      await renewal.look();
    }
    await unlink(folder.path(name));
    await renewal.look();
    expect(subjectsTaken()).toEqual([]);
    expect(logged.length).toBeGreaterThan(1);
    expect(logged.map(([level]) => level)).not.toContain('info');
    expect(JSON.stringify(logged)).not.toContain(whole.slice(40, 80));
    await write(name, whole);
    await renewal.look();
    expect(logged.at(-1)?.[0]).toBe('info');
  },
);

test('What is no file is not waited for', async () => {
  await unlink(folder.path('a.key'));
  // Reading it would never end.
  await symlink('/dev/zero', folder.path('a.key'));
  await renewal.look();
  expect([taken, logged]).toEqual([[], []]);
});
