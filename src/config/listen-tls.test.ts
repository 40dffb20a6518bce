import { expect, test } from 'vitest';
import { certificate, CLIENT_CA, CLIENT_CRL } from '../../test/support/client-certificates.ts';
import { KEYS, loadText, problemsOf } from '../../test/support/config.ts';
import { configDigest } from './digest.ts';
import { readListenTlsAgain } from './listen-tls.ts';

const TLS = 'tls: { certFile: a.crt, keyFile: a.key, clientCaFile: ca.crt, clientCrlFile: ca.crl }';
const text = (tls = TLS): string =>
  `${KEYS}kms: { listen: { port: 1, ${tls} }, clients: [{ name: app, certificate: { subject: CN=app } }] }\n`;
const FOLDER = '/etc/gate';
const files = (changes: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> => ({
  [`${FOLDER}/a.crt`]: certificate('app').cert,
  [`${FOLDER}/a.key`]: certificate('app').key,
  [`${FOLDER}/ca.crt`]: CLIENT_CA,
  [`${FOLDER}/ca.crl`]: CLIENT_CRL,
  ...changes,
});

test('What a listener serves TLS with is read again from the same files', async () => {
  const { kms } = await loadText(text(), { files: files() });
  const tls = kms?.listen.tls;
  expect(tls).toMatchObject({ certificate: certificate('app').cert, clients: { ca: CLIENT_CA, required: false } });
  const now = files({
    [`${FOLDER}/a.crt`]: certificate('backup').cert,
    [`${FOLDER}/a.key`]: certificate('backup').key,
  });
  const again = await readListenTlsAgain(tls?.files ?? { certFile: '', keyFile: '' }, async (path) =>
    Buffer.from(now[path] ?? ''),
  );
  expect(again).toEqual({ ...tls, certificate: certificate('backup').cert, privateKey: again.privateKey });
  expect(again.privateKey.reveal()).toBe(certificate('backup').key);
});

test('A file that cannot be read is named', async () => {
  const { kms } = await loadText(text(), { files: files() });
  const again = readListenTlsAgain(kms?.listen.tls?.files ?? { certFile: '', keyFile: '' }, async (path) =>
    Buffer.from(path.endsWith('.crl') ? '' : (files()[path] ?? '')),
  );
  await expect(again).rejects.toMatchObject({ code: 'ERR_CONFIG_FILE', message: '/etc/gate/ca.crl is empty' });
});

test('Whether two processes run the same config does not hang on certificates, and does on where they are', async () => {
  const digestOf = async (tls: string, changes: Readonly<Record<string, string>>): Promise<string> =>
    configDigest(await loadText(text(tls), { files: files(changes) }));
  const one = await digestOf(TLS, {});
  const renewed = { [`${FOLDER}/a.crt`]: certificate('backup').cert, [`${FOLDER}/a.key`]: certificate('backup').key };
  expect(await digestOf(TLS, renewed)).toBe(one);
  const other = { [`${FOLDER}/ca.crt`]: `${CLIENT_CA}\n` };
  expect(await digestOf(TLS, other)).toBe(one);
  const moved = { [`${FOLDER}/b.crt`]: certificate('app').cert };
  expect(await digestOf(TLS.replace('a.crt', 'b.crt'), moved)).not.toBe(one);
  expect(await digestOf(TLS.replace(' }', ', clientCertificates: required }'), {})).not.toBe(one);
});

test.each([
  ['of none', certificate('app').key],
  ['cut off', CLIENT_CA.slice(0, 200)],
  ['one of two cut off', `${CLIENT_CA}${CLIENT_CA.slice(0, 200)}`],
  ['two on one line', `${CLIENT_CA.trim()}${CLIENT_CA}`],
  ['words before it on its line', `CA: ${CLIENT_CA}`],
  ['a list that is cut off before it', `${CLIENT_CRL.slice(0, 100)}\n${CLIENT_CA}`],
])('A file of certificates to trust, %s, is refused', async (_what, ca) => {
  expect(await problemsOf(text(), { files: files({ [`${FOLDER}/ca.crt`]: ca }) })).toEqual([
    expect.stringContaining('FILE kms.listen.tls.clientCaFile'),
  ]);
});

test.each([
  ['words', `the first\n${CLIENT_CA}and the second\n${CLIENT_CA}`],
  ['lines as Windows ends them', CLIENT_CA.replaceAll('\n', '\r\n')],
  ['a revocation list and a key before it', `${CLIENT_CRL}${certificate('app').key}${CLIENT_CA}`],
])('In a file of certificates to trust there may be %s', async (_what, ca) => {
  const { kms } = await loadText(text(), { files: files({ [`${FOLDER}/ca.crt`]: ca }) });
  expect(kms?.listen.tls?.clients?.ca).toBe(ca);
});

test.each([
  ['a key of another certificate', { 'a.key': certificate('backup').key }, 'certFile', 'key values mismatch'],
  ['a certificate that is cut off', { 'a.crt': certificate('app').cert.slice(0, 200) }, 'certFile', 'bad end line'],
  ['an encrypted key', { 'a.key': '-----BEGIN ENCRYPTED PRIVATE KEY-----' }, 'certFile', 'the key is encrypted'],
  ['a list that is none', { 'ca.crl': '-----BEGIN X509 CRL-----' }, 'clientCrlFile', 'Failed to parse CRL'],
])('What cannot be used is a problem of the config: %s', async (_what, changes, member, reason) => {
  const changed = Object.fromEntries(Object.entries(changes).map(([name, content]) => [`${FOLDER}/${name}`, content]));
  const loading = loadText(text(), { files: files(changed) });
  await expect(loading).rejects.toMatchObject({
    problems: [{ code: 'ERR_CONFIG_FILE', path: `kms.listen.tls.${member}`, message: expect.stringContaining(reason) }],
  });
});

test('A certificate of OpenSSL that says what it is trusted for is one to trust', async () => {
  const ca = CLIENT_CA.replaceAll(' CERTIFICATE', ' TRUSTED CERTIFICATE');
  const { kms } = await loadText(text(), { files: files({ [`${FOLDER}/ca.crt`]: ca }) });
  expect(kms?.listen.tls?.clients?.ca).toBe(ca);
});
