import { readFile, unlink, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TEST_CA_PEM } from '../../test/support/certificates.ts';
import { certificate, CLIENT_CA, CLIENT_CRL } from '../../test/support/client-certificates.ts';
import { cliFolder, type CliFolder } from '../../test/support/cli.ts';
import { ConfigFiles } from '../config/files.ts';
import { readPeerTls, type PeerTlsConfig } from '../config/peer-tls.ts';
import type { PeerTls } from '../http/peer-agent.ts';
import { CertificateRenewal } from './certificate-renewal.ts';
import { ofPeer, PeerCertificates } from './peer-certificates.ts';

const FILES = { caFile: 'ca.crt', crlFile: 'ca.crl', certFile: 'own.crt', keyFile: 'own.key' };

let folder: CliFolder;
let taken: PeerTls[];
let logged: [string, object][];

const write = (name: string, text: string): Promise<void> => writeFile(folder.path(name), text);
const logOf = (level: string) => (fields: object) => void logged.push([level, fields]);
const log = { info: logOf('info'), warn: logOf('warn') } as never;
const read = (files: typeof FILES | { readonly caFile: string }): Promise<PeerTlsConfig> =>
  readPeerTls(files, new ConfigFiles(folder.path('sealgate.yaml'), readFile), ['keys', 'remote', 'tls']);

beforeEach(async () => {
  folder = cliFolder();
  [taken, logged] = [[], []];
  const { cert, key } = certificate('app');
  const contents = { 'ca.crt': CLIENT_CA, 'ca.crl': CLIENT_CRL, 'own.crt': cert, 'own.key': key };
  await Promise.all(Object.entries(contents).map(([name, text]) => write(name, text)));
});
afterEach(() => folder[Symbol.dispose]());

const watched = async (files = FILES): Promise<CertificateRenewal<PeerTlsConfig>> =>
  new CertificateRenewal(ofPeer(await read(files), log, (now) => void taken.push(now)));

test('What is trusted, what is revoked and what is shown are taken as they change, and said with their place', async () => {
  const renewal = await watched();
  await renewal.look();
  expect([taken, logged]).toEqual([[], []]);
  await write('ca.crt', TEST_CA_PEM);
  await renewal.look();
  await write('ca.crl', `${CLIENT_CRL}\n`);
  await renewal.look();
  await Promise.all([write('own.crt', certificate('backup').cert), write('own.key', certificate('backup').key)]);
  await renewal.look();
  expect(taken).toEqual([
    { ca: TEST_CA_PEM, crl: CLIENT_CRL, ...certificate('app') },
    { ca: TEST_CA_PEM, crl: `${CLIENT_CRL}\n`, ...certificate('app') },
    { ca: TEST_CA_PEM, crl: `${CLIENT_CRL}\n`, ...certificate('backup') },
  ]);
  expect(logged.at(-1)).toEqual([
    'info',
    { peer: 'keys.remote.tls', fingerprint256: expect.any(String), validTo: expect.any(String) },
  ]);
});

test.each(Object.values(FILES))('%s that is gone, empty or half written changes nothing', async (name) => {
  const renewal = await watched();
  const whole = await readFile(folder.path(name), 'utf8');
  for (const text of ['', whole.slice(0, 150), 'nothing of the kind']) {
    await write(name, text);
    await renewal.look();
  }
  await unlink(folder.path(name));
  await renewal.look();
  expect(taken).toEqual([]);
  expect(logged.at(-1)).toEqual(['warn', { peer: 'keys.remote.tls', reason: expect.stringContaining(name) }]);
  expect(JSON.stringify(logged)).not.toContain(whole.slice(40, 80));
  await write(name, whole);
  await renewal.look();
  expect(logged.at(-1)?.[0]).toBe('info');
});

test('An authority that no file names stays, beside a certificate that is renewed', async () => {
  const { cert, key } = certificate('backup');
  const { caFile: _caFile, crlFile: _crlFile, ...files } = FILES;
  const own = { ...(await read(files as typeof FILES)), ca: TEST_CA_PEM };
  const renewal = new CertificateRenewal(ofPeer(own, log, (now) => void taken.push(now)));
  await Promise.all([write('own.crt', cert), write('own.key', key)]);
  await renewal.look();
  expect(taken).toEqual([{ ca: TEST_CA_PEM, cert, key }]);
});

test('A section is the same to all who connect by it, until it changes', async () => {
  const peers = new PeerCertificates(log);
  const tls = await read(FILES);
  const [one, other] = [peers.now(tls), peers.now(tls)];
  expect(one()).toBe(other());
  expect(peers.now(await read(FILES))()).not.toBe(one());
  await peers.part.stop(0);
});
