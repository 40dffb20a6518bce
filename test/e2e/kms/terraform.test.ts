/**
 * Terraform with its aws provider against a running `sealgate up`. The provider is the newest that the Go registry gives, of 2019, on
 * helper packages that speak the plugin protocol of today's Terraform.
 */
import { DescribeKeyCommand, ListGrantsCommand } from '@aws-sdk/client-kms';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { buildClient, CLIENT_BUILD_TIMEOUT_MS, type BuiltClient } from '../../support/client-cache.ts';
import { KMS_ACCOUNT, KMS_REGION, startKms, type RunningKms } from '../../support/kms/installation.ts';
import { missing } from '../../support/programs.ts';
import { start, type Ran } from '../../support/run.ts';

const PROVIDER = {
  name: 'terraform-provider-aws',
  needs: ['go'],
  source: join(import.meta.dirname, '../../clients/terraform-provider-aws'),
  steps: [{ words: ['go', 'build', '-o', 'terraform-provider-aws', '.'] }],
} as const;

let provider: BuiltClient;
let kms: RunningKms;
let folder: string;
let noTerraform: string | undefined;

beforeAll(async () => {
  noTerraform = missing('terraform');
  if (noTerraform !== undefined) return;
  provider = await buildClient(PROVIDER);
  if (provider.type === 'none') return;
  kms = await startKms();
  folder = join(kms.installation.folder, 'terraform');
  await mkdir(folder);
  const overrides = `provider_installation {\n  dev_overrides {\n    "hashicorp/aws" = "${provider.folder}"\n  }\n}\n`;
  await writeFile(join(folder, 'terraform.rc'), overrides);
}, CLIENT_BUILD_TIMEOUT_MS);
beforeEach(({ skip }) => {
  if (noTerraform !== undefined) skip(noTerraform);
  if (provider.type === 'none') skip(provider.reason);
});
afterAll(async () => {
  if (noTerraform === undefined && provider.type === 'built') await kms.close();
});

const terraform = (...words: readonly string[]): Promise<Ran> =>
  start('terraform', words, {
    cwd: folder,
    env: { ...kms.env, TF_CLI_CONFIG_FILE: join(folder, 'terraform.rc'), CHECKPOINT_DISABLE: '1' },
  }).done;
async function must(...words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await terraform(...words);
  if (code !== 0) throw new Error(`terraform ${words.join(' ')}: ${stderr}${stdout}`);
  return stdout;
}

type Settings = { readonly description: string; readonly rotation: boolean; readonly tags: string };

async function configure({ description, rotation, tags }: Settings): Promise<void> {
  const text = `
provider "aws" {
  region                      = "${KMS_REGION}"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_get_ec2_platforms      = true
  endpoints {
    kms = "${kms.endpoint}"
  }
}
resource "aws_kms_key" "this" {
  description             = "${description}"
  deletion_window_in_days = 8
  enable_key_rotation     = ${rotation}
  tags                    = ${tags}
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Sid = "admin", Effect = "Allow", Principal = { AWS = "arn:aws:iam::${KMS_ACCOUNT}:root" }, Action = "kms:*", Resource = "*" },
      { Effect = "Allow", Principal = { AWS = ["arn:aws:iam::${KMS_ACCOUNT}:user/reader"] }, Action = ["kms:Decrypt"], Resource = ["*"] },
    ]
  })
}
resource "aws_kms_key" "plain" {
  deletion_window_in_days = 7
}
resource "aws_kms_alias" "this" {
  name          = "alias/terraform/this"
  target_key_id = aws_kms_key.this.key_id
}
resource "aws_kms_grant" "this" {
  name              = "by-terraform"
  key_id            = aws_kms_key.this.key_id
  grantee_principal = "arn:aws:iam::${KMS_ACCOUNT}:user/reader"
  operations        = ["Encrypt", "Decrypt", "GenerateDataKey"]
  constraints {
    encryption_context_equals = { app = "shop" }
  }
}
data "aws_kms_key" "this" {
  key_id = aws_kms_alias.this.name
}
data "aws_kms_ciphertext" "this" {
  key_id    = aws_kms_key.this.key_id
  plaintext = "a secret of terraform"
  context   = { app = "shop" }
}
data "aws_kms_secrets" "this" {
  secret {
    name    = "one"
    payload = data.aws_kms_ciphertext.this.ciphertext_blob
    context = { app = "shop" }
  }
}
output "arn" { value = aws_kms_key.this.arn }
output "found" { value = data.aws_kms_key.this.arn }
output "grant" { value = aws_kms_grant.this.grant_id }
output "opened" {
  value     = data.aws_kms_secrets.this.plaintext["one"]
  sensitive = true
}
`;
  await writeFile(join(folder, 'main.tf'), text);
}
const apply = (): Promise<string> => must('apply', '-auto-approve', '-no-color');
/** 0: nothing to change; 2: something. */
const planned = async (): Promise<number | null> => {
  const { code, stdout, stderr } = await terraform('plan', '-detailed-exitcode', '-no-color');
  if (code === 1) throw new Error(stderr);
  if (code === 2) process.stdout.write(stdout);
  return code;
};
type Outputs = Readonly<Record<'arn' | 'found' | 'grant' | 'opened', { readonly value: string }>>;
const outputs = async (): Promise<Outputs> => JSON.parse(await must('output', '-json')) as Outputs;

test('makes keys, an alias and a grant, reads its own secret, and then plans nothing', async () => {
  await configure({ description: 'made by terraform', rotation: true, tags: '{ team = "shop", stage = "live" }' });
  await apply();
  const { arn, found, grant, opened } = await outputs();
  expect([found.value, opened.value]).toEqual([arn.value, 'a secret of terraform']);
  const { Grants } = await kms.client.send(new ListGrantsCommand({ KeyId: arn.value }));
  expect(Grants).toMatchObject([
    { GrantId: grant.value, Name: 'by-terraform', Constraints: { EncryptionContextEquals: { app: 'shop' } } },
  ]);
  expect(await planned()).toBe(0);
});

test('changes description, rotation and tags in place', async () => {
  const { arn } = await outputs();
  await configure({ description: 'changed by terraform', rotation: false, tags: '{ team = "sales" }' });
  expect(await apply()).toMatch(/0 added, 1 changed, 0 destroyed/u);
  expect(await planned()).toBe(0);
  const { KeyMetadata } = await kms.client.send(new DescribeKeyCommand({ KeyId: arn.value }));
  expect(KeyMetadata).toMatchObject({ Description: 'changed by terraform', KeyState: 'Enabled' });
});

test('destroys: the keys are pending deletion for as long as it says', async () => {
  const { arn } = await outputs();
  await must('destroy', '-auto-approve', '-no-color');
  const { KeyMetadata } = await kms.client.send(new DescribeKeyCommand({ KeyId: arn.value }));
  expect(KeyMetadata?.KeyState).toBe('PendingDeletion');
  const days = ((KeyMetadata?.DeletionDate?.getTime() ?? 0) - Date.now()) / 86_400_000;
  expect(Math.ceil(days)).toBe(8);
  expect(JSON.parse(await readFile(join(folder, 'terraform.tfstate'), 'utf8'))).toMatchObject({ resources: [] });
});
