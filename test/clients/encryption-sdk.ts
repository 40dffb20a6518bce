/**
 * A program on the AWS Encryption SDK for JavaScript, with nothing of ours in it: `encrypt KEY-ARN TEXT OUT`, or `decrypt KEY-ARN IN…`, which
 * prints a line for each. The endpoint comes from the environment. Its twins are in Python and Java.
 */
import { buildClient, CommitmentPolicy, KmsKeyringNode } from '@aws-crypto/client-node';
import { readFile, writeFile } from 'node:fs/promises';

const [, , word = '', key = '', ...files] = process.argv;
const { encrypt, decrypt } = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
const keyring =
  word === 'encrypt' ? new KmsKeyringNode({ generatorKeyId: key }) : new KmsKeyringNode({ keyIds: [key] });

async function opened(file: string): Promise<string> {
  try {
    return (await decrypt(keyring, await readFile(file))).plaintext.toString('utf8');
  } catch (error) {
    return `refused: ${String(error).replaceAll('\n', ' ')}`;
  }
}

if (word === 'encrypt') {
  const [text = '', output = ''] = files;
  await writeFile(output, (await encrypt(keyring, text, { encryptionContext: { app: 'shop', stage: 'live' } })).result);
} else {
  for (const file of files) process.stdout.write(`${await opened(file)}\n`);
}
