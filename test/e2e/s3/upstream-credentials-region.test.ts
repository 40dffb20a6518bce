/** Whom the AWS default chain asks for credentials: the STS and IAM Identity Center of which region. */
import { createHash } from 'node:crypto';
import dns from 'node:dns';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { noUpstreamCredentials } from '../../../src/s3/upstream/no-credentials.ts';
import { chainCredentials } from '../../../src/sigv4/credentials.ts';

const PORTAL = 'https://gate.awsapps.com/start';
const ROLE = 'role_arn = arn:aws:iam::1:role/x';

let home: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'sealgate-regions-'));
  const cache = join(home, '.aws', 'sso', 'cache');
  await mkdir(cache, { recursive: true });
  const token = JSON.stringify({ accessToken: 'a', expiresAt: new Date(Date.now() + 3_600_000).toISOString() });
  for (const session of [PORTAL, 'work'])
    await writeFile(join(cache, `${createHash('sha1').update(session).digest('hex')}.json`), token);
  await writeFile(join(home, 'token'), 'jwt');
  await writeFile(
    join(home, '.aws', 'config'),
    [
      ['[profile base]', 'aws_access_key_id = BASE', 'aws_secret_access_key = s'],
      ['[profile role]', ROLE, 'source_profile = base'],
      ['[profile fips]', ROLE, 'source_profile = base', 'use_fips_endpoint = true'],
      ['[profile role-elsewhere]', ROLE, 'source_profile = base', 'region = ap-south-1'],
      ['[profile web]', ROLE, `web_identity_token_file = ${join(home, 'token')}`],
      ['[profile portal]', `sso_start_url = ${PORTAL}`, 'sso_region = eu-west-1'],
      ['sso_account_id = 1', 'sso_role_name = r', 'region = us-east-2'],
      ['[profile session]', 'sso_session = work', 'sso_account_id = 1', 'sso_role_name = r'],
      ['[sso-session work]', `sso_start_url = ${PORTAL}`, 'sso_region = eu-west-1'],
    ]
      .flat()
      .join('\n'),
  );
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(home, { recursive: true });
});
beforeEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) vi.stubEnv(name, undefined);
  vi.stubEnv('HOME', home);
  vi.stubEnv('AWS_REGION', 'us-west-2');
  vi.stubEnv('AWS_MAX_ATTEMPTS', '1');
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
});

const chain = (profile: string | undefined, region: string) =>
  chainCredentials(Date.now, { profile, region }, noUpstreamCredentials);

/** The hosts that are looked up; none is reached. */
async function askedHosts(profile: string | undefined, region: string): Promise<readonly string[]> {
  const hosts = new Set<string>();
  vi.spyOn(dns, 'lookup').mockImplementation(((host: string, _options: unknown, done: (error: Error) => void) => {
    hosts.add(host);
    done(Object.assign(new Error(`no ${host}`), { code: 'ENOTFOUND' }));
    // One of its overloads, the one that sockets use.
  }) as unknown as typeof dns.lookup);
  await expect(chain(profile, region).get()).rejects.toMatchObject({ code: 'ERR_S3_UPSTREAM_CREDENTIALS' });
  return [...hosts];
}

test.each([
  ['a role is assumed in the configured region', 'role', 'eu-central-1', 'sts.eu-central-1.amazonaws.com'],
  ['as the profile of the role says', 'fips', 'us-east-1', 'sts-fips.us-east-1.amazonaws.com'],
  ['a web identity is shown there too', 'web', 'eu-central-1', 'sts.eu-central-1.amazonaws.com'],
  ['in that of another partition', 'role', 'cn-north-1', 'sts.cn-north-1.amazonaws.com.cn'],
  ['a region of the role’s profile wins', 'role-elsewhere', 'eu-central-1', 'sts.ap-south-1.amazonaws.com'],
  ['also where the store’s is none of AWS', 'role-elsewhere', 'garage', 'sts.ap-south-1.amazonaws.com'],
  ['which is taken at its word otherwise', 'role', 'garage', 'sts.garage.amazonaws.com'],
  ['IAM Identity Center has its own', 'portal', 'eu-central-1', 'portal.sso.eu-west-1.amazonaws.com'],
  ['by a session too', 'session', 'garage', 'portal.sso.eu-west-1.amazonaws.com'],
])('%s', async (_, profile, region, host) => {
  expect(await askedHosts(profile, region)).toEqual([host]);
});

test('a web identity of the environment is shown in the configured region', async () => {
  vi.stubEnv('AWS_WEB_IDENTITY_TOKEN_FILE', join(home, 'token'));
  vi.stubEnv('AWS_ROLE_ARN', 'arn:aws:iam::1:role/x');
  expect(await askedHosts(undefined, 'eu-central-1')).toEqual(['sts.eu-central-1.amazonaws.com']);
});

test.each([
  ['role', 'eu-central-1', 'eu-central-1'],
  ['role', 'garage', 'garage'],
  ['role-elsewhere', 'garage', 'ap-south-1'],
])('STS at an address of its own: %s, configured for %s, is signed for %s', async (profile, region, signed) => {
  const Expiration = new Date(Date.now() + 3_600_000).toISOString();
  const scopes: (string | undefined)[] = [];
  const sts = createServer((incoming, outgoing) => {
    scopes.push(/Credential=BASE\/\d{8}\/([^,]+)/u.exec(incoming.headers.authorization ?? '')?.[1]);
    incoming.resume();
    outgoing
      .writeHead(200, { 'content-type': 'text/xml' })
      .end(
        `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ROLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>${Expiration}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
      );
  });
  await once(sts.listen(0, '127.0.0.1'), 'listening');
  // A TCP server has an address object.
  vi.stubEnv('AWS_ENDPOINT_URL_STS', `http://127.0.0.1:${(sts.address() as AddressInfo).port}`);
  try {
    expect(await chain(profile, region).get()).toMatchObject({ accessKeyId: 'ROLE' });
    expect(scopes).toEqual([`${signed}/sts/aws4_request`]);
  } finally {
    sts.closeAllConnections();
    sts.close();
  }
});
