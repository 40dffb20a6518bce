/** A request that was answered is not answered by the process that comes after, however the first one ended. */
import { afterEach, expect, test } from 'vitest';
import { install, type Installation } from '../../support/installation.ts';
import { send, signKms, type KmsAnswer } from '../../support/kms/edge.ts';

const CLIENT = { accessKeyId: 'ADMINKEY', secretAccessKey: 'admin-secret' };
const CONFIG = `  access: { identities: [{ client: admin, policies: [{ name: all, file: ./admin.json }] }] }
kms:
  listen: { port: 0 }
  clients: [{ name: admin, accessKeyId: ${CLIENT.accessKeyId}, secretAccessKey: ${CLIENT.secretAccessKey} }]
`;
const ADMIN = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"kms:*","Resource":"*"}]}';

let installation: Installation | undefined;
afterEach(() => installation?.remove());

type Sent = { readonly headers: Readonly<Record<string, string>>; readonly body: Buffer };

test.each(['SIGTERM', 'SIGKILL'] as const)('after %s, and what is signed anew is answered', async (signal) => {
  installation = await install(CONFIG, ['alias/one'], { 'admin.json': ADMIN });
  const first = await installation.up();
  const signed = (action: string, input: object, now = Date.now()): Sent => {
    const body = Buffer.from(JSON.stringify(input));
    return { body, headers: signKms(0, body, { action, credentials: CLIENT, region: 'us-east-1', now }) };
  };
  const to = (port: number | undefined, { headers, body }: Sent): Promise<KmsAnswer> =>
    send({ port: port ?? 0, tls: false }, headers, body);
  const before = first.ports['kms'];
  // A client's clock may be off by minutes either way.
  const answered = [
    signed('GenerateDataKey', { KeyId: 'alias/one', KeySpec: 'AES_256' }),
    signed('CreateKey', {}, Date.now() - 200_000),
    signed('ListKeys', {}, Date.now() + 200_000),
    signed('ListKeys', { Limit: 0 }),
  ];
  const answers = [];
  for (const one of answered) answers.push(await to(before, one));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 400]);
  const unsent = signed('ListKeys', { Limit: 5 }, Date.now() - 100_000);

  first.program.child.kill(signal);
  await first.program.done;
  const second = (await installation.up()).ports['kms'];
  for (const one of answered) {
    const { status, json } = await to(second, one);
    expect([status, json?.['__type']]).toEqual([400, 'InvalidSignatureException']);
    expect(json?.['message']).toMatch(/has been received before/u);
  }
  expect((await to(second, unsent)).status).toBe(200);
  expect((await to(second, signed('ListKeys', {}))).status).toBe(200);
});
