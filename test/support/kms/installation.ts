/** A running `sealgate up` for stock KMS clients: one administrator, TLS under the tests' CA, and the environment that sends AWS clients there. */
import { CreateKeyCommand, KMSClient, type CreateKeyCommandInput } from '@aws-sdk/client-kms';
import { join } from 'node:path';
import { certificate, CLIENT_CA } from '../client-certificates.ts';
import { install, type Installation } from '../installation.ts';

export const KMS_REGION = 'us-east-1';
export const KMS_ACCOUNT = '000000000000';
export const KMS_CREDENTIALS = { accessKeyId: 'ADMINKEY', secretAccessKey: 'admin-secret' };

const ADMIN = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"kms:*","Resource":"*"}]}';
type Credentials = { readonly accessKeyId: string; readonly secretAccessKey: string };
const config = (
  { accessKeyId, secretAccessKey }: Credentials,
  otherRegions: readonly string[],
): string => `  otherRegions: [${otherRegions.join(', ')}]
  access:
    identities:
      - { client: admin, policies: [{ name: all, file: ./admin.json }] }
kms:
  listen: { port: 0, tls: { certFile: ./kms.crt, keyFile: ./kms.key } }
  clients:
    - { name: admin, accessKeyId: ${accessKeyId}, secretAccessKey: ${secretAccessKey} }
`;

export type RunningKms = {
  readonly installation: Installation;
  readonly endpoint: string;
  /** Ports by listener. */
  readonly ports: Readonly<Record<string, number>>;
  /** The CA that signed the listener's certificate, as a file. */
  readonly caFile: string;
  /** What a stock client needs besides its own settings: endpoint, CA, region, credentials. */
  readonly env: NodeJS.ProcessEnv;
  readonly client: KMSClient;
  /** Makes a key and answers with its ARN. */
  readonly createKey: (asked?: CreateKeyCommandInput) => Promise<string>;
  readonly close: () => Promise<void>;
};

type Options = {
  /** Of the administrator. */
  readonly credentials?: Credentials;
  /** Further sections of the config, and aliases of keys that are made first, as for `install`. */
  readonly sections?: string;
  readonly keys?: readonly string[];
  /** Served beside KMS_REGION. */
  readonly otherRegions?: readonly string[];
};

export async function startKms({
  credentials = KMS_CREDENTIALS,
  sections = '',
  keys = [],
  otherRegions = [],
}: Options = {}): Promise<RunningKms> {
  const { cert, key } = certificate('server');
  const files = { 'admin.json': ADMIN, 'kms.crt': cert, 'kms.key': key, 'ca.crt': CLIENT_CA };
  const installation = await install(`${config(credentials, otherRegions)}${sections}`, keys, files);
  const { ports } = await installation.up();
  const endpoint = `https://localhost:${ports['kms']}`;
  const client = new KMSClient({
    endpoint,
    region: KMS_REGION,
    credentials,
    requestHandler: { httpsAgent: { ca: CLIENT_CA } },
    maxAttempts: 1,
  });
  const caFile = join(installation.folder, 'ca.crt');
  return {
    installation,
    endpoint,
    ports,
    caFile,
    env: environment(installation.folder, endpoint, caFile, credentials),
    client,
    createKey: async (asked = {}) => (await client.send(new CreateKeyCommand(asked))).KeyMetadata?.Arn ?? '',
    close: async () => {
      client.destroy();
      await installation.remove();
    },
  };
}

const environment = (
  folder: string,
  endpoint: string,
  caFile: string,
  credentials: Credentials,
): NodeJS.ProcessEnv => ({
  PATH: process.env['PATH'],
  PYENV_VERSION: process.env['PYENV_VERSION'],
  // No settings of whoever runs the tests.
  HOME: folder,
  AWS_CONFIG_FILE: join(folder, 'no-config'),
  AWS_SHARED_CREDENTIALS_FILE: join(folder, 'no-credentials'),
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_ENDPOINT_URL_KMS: endpoint,
  AWS_CA_BUNDLE: caFile,
  NODE_EXTRA_CA_CERTS: caFile,
  AWS_REGION: KMS_REGION,
  AWS_DEFAULT_REGION: KMS_REGION,
  AWS_ACCESS_KEY_ID: credentials.accessKeyId,
  AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  AWS_MAX_ATTEMPTS: '1',
});
