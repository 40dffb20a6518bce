/** The gateway's own credentials from every source of the AWS default chain, and renewed while it runs. */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { AWS_CAPABILITIES } from '../../../src/s3/upstream/capabilities.ts';
import { noUpstreamCredentials } from '../../../src/s3/upstream/no-credentials.ts';
import { chainCredentials } from '../../../src/sigv4/credentials.ts';
import { SigningClient } from '../../../src/s3/upstream/signing-client.ts';

let folder: string;
let services: Server;
let url: string;

/** Instance metadata, container credentials and STS, as they answer. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealgate-credentials-'));
  services = createServer((incoming, outgoing) => {
    const Expiration = new Date(Date.now() + 3_600_000).toISOString();
    const json = (AccessKeyId: string): string =>
      JSON.stringify({ Code: 'Success', AccessKeyId, SecretAccessKey: 's', Token: 't', Expiration });
    const sts = `<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>WEB</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>${Expiration}</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`;
    const answers: Readonly<Record<string, string>> = {
      '/latest/api/token': 'token',
      '/latest/meta-data/iam/security-credentials/': 'role',
      '/latest/meta-data/iam/security-credentials/role': json('INSTANCE'),
      '/container': json('CONTAINER'),
      '/without-token': json('TOKENLESS').replace('"Token":"t"', '"Token":""'),
      '/': sts,
    };
    incoming.resume();
    outgoing.writeHead(200, { 'content-type': 'text/xml' }).end(answers[incoming.url ?? '']);
  });
  await once(services.listen(0, '127.0.0.1'), 'listening');
  url = `http://127.0.0.1:${(services.address() as AddressInfo).port}`; // A TCP server has an address object.
  await file('empty', '');
  await file('token', 'jwt');
  await file('credentials', profile('default', 'FILE') + profile('other', 'OTHER'));
  await file(
    'config',
    `[profile made]\ncredential_process = echo '{"Version":1,"AccessKeyId":"MADE","SecretAccessKey":"s"}'\n`,
  );
});
afterAll(async () => {
  vi.unstubAllEnvs();
  services.closeAllConnections();
  services.close();
  await rm(folder, { recursive: true });
});
beforeEach(() => {
  vi.unstubAllEnvs();
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) vi.stubEnv(name, undefined);
  vi.stubEnv('AWS_CONFIG_FILE', join(folder, 'empty'));
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(folder, 'empty'));
  vi.stubEnv('AWS_REGION', 'us-east-1');
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
});

const file = (name: string, text: string): Promise<void> => writeFile(join(folder, name), text);
const profile = (name: string, id: string): string =>
  `[${name}]\naws_access_key_id = ${id}\naws_secret_access_key = s\n`;
const found = async (env: Readonly<Record<string, string | undefined>>, name?: string): Promise<string> => {
  for (const [variable, value] of Object.entries(env)) vi.stubEnv(variable, value);
  const chain = chainCredentials(Date.now, { profile: name, region: 'eu-central-1' }, noUpstreamCredentials);
  return (await chain.get()).accessKeyId;
};

test('environment, files, profiles and processes', async () => {
  expect(await found({ AWS_ACCESS_KEY_ID: 'ENV', AWS_SECRET_ACCESS_KEY: 's' })).toBe('ENV');
  const files = { AWS_SHARED_CREDENTIALS_FILE: join(folder, 'credentials'), AWS_CONFIG_FILE: join(folder, 'config') };
  const none = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined };
  expect(await found({ ...none, ...files })).toBe('FILE');
  expect(await found(files, 'other')).toBe('OTHER');
  expect(await found(files, 'made')).toBe('MADE');
});

test('web identity', async () => {
  const role = { AWS_WEB_IDENTITY_TOKEN_FILE: join(folder, 'token'), AWS_ROLE_ARN: 'arn:aws:iam::1:role/x' };
  expect(await found({ ...role, AWS_ENDPOINT_URL_STS: url })).toBe('WEB');
});

test('container and instance metadata', async () => {
  expect(await found({ AWS_CONTAINER_CREDENTIALS_FULL_URI: `${url}/container` })).toBe('CONTAINER');
  const instance = { AWS_EC2_METADATA_DISABLED: undefined, AWS_EC2_METADATA_SERVICE_ENDPOINT: url };
  expect(await found({ AWS_CONTAINER_CREDENTIALS_FULL_URI: undefined, ...instance })).toBe('INSTANCE');
});

test('an empty session token, as services give it that imitate instance metadata, is none', async () => {
  vi.stubEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI', `${url}/without-token`);
  const chain = chainCredentials(Date.now, { profile: undefined, region: 'us-east-1' }, noUpstreamCredentials);
  const key = await chain.get();
  expect([key.accessKeyId, 'sessionToken' in key]).toEqual(['TOKENLESS', false]);
});

test('the chain writes nothing among the log’s lines: not without a region in the environment, nor with two sources', async () => {
  const written = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  const role = { AWS_WEB_IDENTITY_TOKEN_FILE: join(folder, 'token'), AWS_ROLE_ARN: 'arn:aws:iam::1:role/x' };
  expect(await found({ ...role, AWS_ENDPOINT_URL_STS: url, AWS_REGION: undefined })).toBe('WEB');
  const files = { AWS_SHARED_CREDENTIALS_FILE: join(folder, 'credentials'), AWS_PROFILE: 'other' };
  expect(await found({ ...files, AWS_ACCESS_KEY_ID: 'ENV', AWS_SECRET_ACCESS_KEY: 's' })).toBe('OTHER');
  expect(written).not.toHaveBeenCalled();
});

test('where there are none, the error says so', async () => {
  await expect(found({})).rejects.toMatchObject({ code: 'ERR_S3_UPSTREAM_CREDENTIALS' });
});

test.each(['GET', 'HEAD'] as const)('keys rotated in a file serve the next %s, without restart', async (method) => {
  const store = createServer((incoming, outgoing) => {
    const isOld = incoming.headers.authorization?.includes('Credential=OLD/') === true;
    outgoing.writeHead(isOld ? 403 : 200).end(isOld ? '<Error><Code>InvalidAccessKeyId</Code></Error>' : 'ok');
  });
  await once(store.listen(0, '127.0.0.1'), 'listening');
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(folder, 'rotated'));
  await file('rotated', profile('default', 'OLD'));
  let clock = Date.now();
  const client = new SigningClient({
    endpoint: { url: new URL(`http://127.0.0.1:${(store.address() as AddressInfo).port}`), addressing: 'path' }, // As above.
    region: 'us-east-1',
    credentials: chainCredentials(() => clock, { profile: undefined, region: 'us-east-1' }, noUpstreamCredentials),
    capabilities: AWS_CAPABILITIES,
    now: Date.now,
    maxConnections: 2,
  });
  const old = await client.send({ method: 'HEAD', bucket: 'bkt', key: 'k' });
  await old.body.release();
  expect(old.status).toBe(403);
  await file('rotated', profile('default', 'NEW'));
  clock += 60_000;
  try {
    const response = await client.send({ method, bucket: 'bkt', key: 'k' });
    await response.body.release();
    expect(response.status).toBe(200);
  } finally {
    await client.close();
    store.closeAllConnections();
    store.close();
  }
});
