/** The AWS Encryption SDK in three languages, each in processes of its own, against a running `sealgate up`: what one encrypts, all decrypt. */
import { DisableKeyCommand, EnableKeyCommand, RotateKeyOnDemandCommand } from '@aws-sdk/client-kms';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CLIENT_BUILD_TIMEOUT_MS } from '../../support/client-cache.ts';
import { startKms, type RunningKms } from '../../support/kms/installation.ts';
import { javaClient, pythonClient, trustedByJava, type LanguageClient } from '../../support/language-clients.ts';
import { start } from '../../support/run.ts';

const JAVASCRIPT = join(import.meta.dirname, '../../clients/encryption-sdk.ts');
const LANGUAGES = ['JavaScript', 'Python', 'Java'] as const;
type Language = (typeof LANGUAGES)[number];

let kms: RunningKms;
let clients: Readonly<Record<Language, LanguageClient>>;
let java: NodeJS.ProcessEnv = {};
let key: string;
const path = (name: string): string => join(kms.installation.folder, name);

beforeAll(async () => {
  clients = {
    JavaScript: { type: 'built', words: [process.execPath, JAVASCRIPT] },
    Python: await pythonClient('encryption-sdk-python', ['aws-encryption-sdk[MPL]==4.0.7']),
    Java: await javaClient('encryption-sdk-java'),
  };
  kms = await startKms();
  if (clients.Java.type === 'built') java = await trustedByJava(kms.caFile);
  key = await kms.createKey();
}, CLIENT_BUILD_TIMEOUT_MS);
afterAll(() => kms.close());

async function run(language: Language, ...words: readonly string[]): Promise<readonly string[]> {
  const client = clients[language];
  if (client.type === 'none') throw new Error(client.reason);
  const [program, ...before] = client.words;
  const running = start(program, [...before, ...words], { env: { ...kms.env, ...java }, cwd: kms.installation.folder });
  const { code, stdout, stderr } = await running.done;
  if (code !== 0) throw new Error(`${language}: ${stderr}`);
  return stdout.trimEnd().split('\n');
}

/** Skips the test where the language's client cannot be had. */
function need(skip: (reason: string) => never, language: Language): void {
  const client = clients[language];
  if (client.type === 'none') skip(client.reason);
}

test.for(LANGUAGES)('%s encrypts', async (language, { skip }) => {
  need(skip, language);
  await run(language, 'encrypt', key, `by ${language}`, language);
  const message = await readFile(path(language), 'latin1');
  expect(message).not.toContain(`by ${language}`);
  await writeFile(path('changed'), message.replace('live', 'test'), 'latin1');
});

test.for(LANGUAGES)(
  '%s decrypts what every language encrypted before the key was rotated, but not with another context',
  async (language, { skip }) => {
    need(skip, language);
    const messages = LANGUAGES.filter((name) => clients[name].type === 'built');
    await kms.client.send(new RotateKeyOnDemandCommand({ KeyId: key }));
    const lines = await run(language, 'decrypt', key, ...messages, 'changed');
    expect(lines).toEqual([
      ...messages.map((name) => `by ${name}`),
      // As AWS's, the error has no text, and in Python no name.
      expect.stringMatching(language === 'Python' ? /^refused: .*Kms\(''\)/u : /^refused: .*InvalidCiphertext/u),
    ]);
  },
);

test.for(LANGUAGES)('%s says that the key is disabled', async (language, { skip }) => {
  need(skip, language);
  await kms.client.send(new DisableKeyCommand({ KeyId: key }));
  const lines = await run(language, 'decrypt', key, language);
  await kms.client.send(new EnableKeyCommand({ KeyId: key }));
  expect(lines).toEqual([expect.stringMatching(/^refused: .* is disabled\./u)]);
});
