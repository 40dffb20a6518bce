/** Browsers: preflights without a signature, and what pages may read of answers, by raw requests. */
import { DeleteBucketCorsCommand, PutBucketCorsCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import { sign, talk } from '../../support/s3/raw-s3.ts';
import { createBuckets, inFrontOf } from '../../support/s3/in-front-of.ts';
import { BUCKET, startSealed, type SealedSetup } from '../../support/s3/sealed.ts';

const PAGE = 'https://page.example';

describe('A sealed bucket in front of radosgw', () => {
  let setup: SealedSetup;
  inFrontOf('radosgw', async (backend) => {
    setup = await startSealed(backend);
    const [client] = setup.clients;
    await createBuckets(client, 'radosgw');
    await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'k', Body: 'hello' }));
    return [setup];
  });

  const preflight = (headers: Readonly<Record<string, string>>, path = `/${BUCKET}/k`): Promise<string> => {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const { port } = setup.edges[0];
    return talk(port, [`OPTIONS ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${lines.join('')}\r\n`]);
  };
  const get = (origin: string, path = `/${BUCKET}/k`): Promise<string> => {
    const { port } = setup.edges[0];
    return talk(port, [sign(port, { method: 'GET', path, headers: { origin } }).head]);
  };
  const asked = (origin: string, method: string): Record<string, string> => ({
    Origin: origin,
    'Access-Control-Request-Method': method,
    'Access-Control-Request-Headers': 'authorization,x-amz-date',
  });
  const allow = (MaxAgeSeconds: number): Promise<unknown> => {
    const rule = {
      AllowedOrigins: [PAGE],
      AllowedMethods: ['GET'],
      AllowedHeaders: ['*'],
      ExposeHeaders: ['ETag'],
      MaxAgeSeconds,
    };
    const CORSConfiguration = { CORSRules: [rule] };
    return setup.clients[0].send(new PutBucketCorsCommand({ Bucket: BUCKET, CORSConfiguration }));
  };

  test('says nothing to browsers while there is no configuration', async () => {
    expect(await preflight({})).toMatch(/^HTTP\/1\.1 400 [^]*<Code>BadRequest<[^]*Origin request header needed/u);
    expect(await preflight(asked(PAGE, 'GET'))).toMatch(/ 403 [^]*<Code>AccessForbidden<[^]*CORS is not enabled/u);
    expect(await preflight(asked(PAGE, 'GET'), '/sealed-no-such-bucket/k')).toMatch(/ 403 [^]*Bucket not found/u);
    const read = await get(PAGE);
    expect(read).toMatch(/ 200 [^]*hello$/u);
    expect(read.toLowerCase()).not.toContain('access-control');
  });

  test('answers preflights by the configuration, and tells the page what it may read', async () => {
    await allow(60);
    const answer = await preflight(asked(PAGE, 'GET'));
    expect(answer).toMatch(/^HTTP\/1\.1 200 /u);
    for (const line of [
      `access-control-allow-origin: ${PAGE}`,
      'access-control-allow-credentials: true',
      'access-control-allow-methods: GET',
      'access-control-allow-headers: authorization, x-amz-date',
      'access-control-expose-headers: ETag',
      'access-control-max-age: 60',
    ]) {
      expect(answer).toContain(`${line}\r\n`);
    }
    expect(await preflight(asked('https://other.example', 'GET'))).toMatch(/ 403 [^]*<ResourceType>OBJECT</u);
    expect(await preflight(asked(PAGE, 'PUT'))).toMatch(/ 403 [^]*<Method>PUT</u);
    expect(await get(PAGE)).toMatch(/ 200 [^]*access-control-allow-origin: https:\/\/page\.example\r\n[^]*hello$/u);
    expect((await get('https://other.example')).toLowerCase()).not.toContain('access-control');
    // A page reads refusals as well, also where nobody signed.
    expect(await get(PAGE, `/${BUCKET}/none`)).toMatch(/ 404 [^]*access-control-allow-origin/u);
    const { port } = setup.edges[0];
    const unsigned = `GET /${BUCKET}/k HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nOrigin: ${PAGE}\r\n\r\n`;
    expect(await talk(port, [unsigned])).toMatch(/ 403 [^]*access-control-allow-origin/u);
  });

  test('a change counts at once where it was made', async () => {
    await allow(60);
    expect(await preflight(asked(PAGE, 'GET'))).toContain('access-control-max-age: 60\r\n');
    await allow(61);
    expect(await preflight(asked(PAGE, 'GET'))).toContain('access-control-max-age: 61\r\n');
    await setup.clients[0].send(new DeleteBucketCorsCommand({ Bucket: BUCKET }));
    expect(await preflight(asked(PAGE, 'GET'))).toMatch(/ 403 /u);
  });
});
