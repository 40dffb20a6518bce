/** A KMS listener over a key store in a temporary folder, and a client that signs for it, for tests. */
import { createHash } from 'node:crypto';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { request as httpsRequest, type RequestOptions as TlsRequestOptions } from 'node:https';
import type { AccessOptions } from '../../../src/keys/access/options.ts';
import type { KeyManager } from '../../../src/keys/key-manager.ts';
import type { LifeOptions } from '../../../src/keys/life/terms/options.ts';
import type { KeyPorts } from '../../../src/keys/options.ts';
import type { CertificateCaller } from '../../../src/kms/auth/client-certificate.ts';
import type { ExchangeOutcome } from '../../../src/kms/edge/exchange.ts';
import { KmsServer, type KmsServerLimits, type KmsTls } from '../../../src/kms/server.ts';
import { signRequest } from '../../../src/sigv4/sign.ts';
import { SigningKeyCache } from '../../../src/sigv4/signing-key.ts';
import type { AccessKey } from '../../../src/sigv4/verify.ts';
import { createLog } from '../../../src/observe/log.ts';
import { keyFolder, type KeyFolder } from '../keys/keys.ts';

export const REGION = 'eu-central-1';
/** Served as well, from the same store. */
export const OTHER_REGION = 'ap-southeast-2';
export const ACCOUNT = '123456789012';
export const CALLER = {
  accessKeyId: 'KMSCLIENT',
  secretAccessKey: 'the secret of the KMS client',
  principal: `arn:aws:iam::${ACCOUNT}:user/app`,
};

export type KmsAnswer = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** As bytes came, as text. */
  readonly text: string;
  /** Parsed; undefined where the body is empty. */
  readonly json: Readonly<Record<string, unknown>> | undefined;
};

export type KmsSigning = {
  readonly action?: string;
  readonly credentials?: AccessKey;
  readonly region?: string;
  readonly service?: string;
  readonly now?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** What the signature says of the body; its hash unless told. */
  readonly payloadHash?: string;
};

export type TestKms = {
  readonly port: number;
  readonly url: string;
  readonly keys: KeyManager;
  readonly folder: KeyFolder;
  readonly outcomes: ExchangeOutcome[];
  /** Moves the listener's and the key manager's clock. */
  readonly clock: { ms: number };
  /** `TrentService.<action>` or, with a dot in it, the target itself: signed, with a JSON body. */
  readonly call: (action: string, input?: unknown, signing?: KmsSigning) => Promise<KmsAnswer>;
  /** Creates a key by the API and gives its id. */
  readonly key: (input?: object) => Promise<string>;
  readonly server: KmsServer;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
};

export type KmsChanges = {
  readonly tls?: KmsTls;
  readonly certificates?: readonly CertificateCaller[];
  /** Done to the fresh store before it is opened. */
  readonly prepare?: (folder: KeyFolder) => Promise<unknown>;
  readonly ports?: Partial<KeyPorts>;
  readonly limits?: Partial<KmsServerLimits>;
  readonly accessKeys?: readonly (AccessKey & { readonly principal: string })[];
  /** Without it whoever is known may all. */
  readonly access?: AccessOptions;
  readonly life?: LifeOptions;
};

export async function startKms(changes: KmsChanges = {}): Promise<TestKms> {
  const folder = await keyFolder({ region: REGION, otherRegions: [OTHER_REGION], account: ACCOUNT });
  await changes.prepare?.(folder);
  const clock = { ms: 0 };
  const now = (): number => Date.now() + clock.ms;
  const access = changes.access === undefined ? {} : { access: changes.access };
  const life = changes.life === undefined ? {} : { life: changes.life };
  const keys = await folder.open({ ...access, ...life }, { now, ...changes.ports });
  const outcomes: ExchangeOutcome[] = [];
  const server = new KmsServer({
    host: '127.0.0.1',
    port: 0,
    tls: changes.tls,
    accessKeys: changes.accessKeys ?? [CALLER],
    certificates: changes.certificates ?? [],
    realm: { region: REGION, account: ACCOUNT },
    keys,
    log: createLog({ level: 'error' }, process.stderr),
    now,
    onFinished: (outcome) => outcomes.push(outcome),
    ...(changes.limits === undefined ? {} : { limits: changes.limits }),
  });
  const port = await server.listen();
  const call = (action: string, input: unknown = {}, signing: KmsSigning = {}): Promise<KmsAnswer> => {
    const body = Buffer.from(typeof input === 'string' ? input : JSON.stringify(input));
    const target = { port, tls: changes.tls !== undefined };
    return send(target, signKms(port, body, { now: now(), ...signing, action }), body);
  };
  const key = async (input: object = {}): Promise<string> => {
    const { json } = await call('CreateKey', input);
    return (json?.['KeyMetadata'] as { KeyId: string }).KeyId;
  };
  const dispose = async (): Promise<void> => {
    await server.close(1000);
    await folder[Symbol.asyncDispose]();
  };
  const url = `${changes.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`;
  return { port, url, keys, folder, outcomes, clock, call, key, server, [Symbol.asyncDispose]: dispose };
}

const signingKeys = new SigningKeyCache();

/** All headers of a signed `POST /`. */
export function signKms(port: number, body: Uint8Array, signing: KmsSigning): Readonly<Record<string, string>> {
  const { action = 'ListKeys', now = Date.now(), credentials = CALLER, region = REGION, service = 'kms' } = signing;
  const headers = {
    host: `127.0.0.1:${port}`,
    'content-type': 'application/x-amz-json-1.1',
    'x-amz-target': action.includes('.') ? action : `TrentService.${action}`,
    ...signing.headers,
  };
  const payloadHash = signing.payloadHash ?? createHash('sha256').update(body).digest('hex');
  const request = { method: 'POST', path: '/', query: '', headers };
  return signRequest(request, { credentials, region, service, now, payloadHash, signingKeys }).headers;
}

export type Target = { readonly port: number; readonly tls: boolean };

/** Sends a request as given; no signing, no checks. */
export function send(
  { port, tls }: Target,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array,
  options: TlsRequestOptions = {},
): Promise<KmsAnswer> {
  const request = tls ? httpsRequest : httpRequest;
  const length = { 'content-length': String(body.length) };
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        host: '127.0.0.1',
        port,
        method: 'POST',
        path: '/',
        rejectUnauthorized: false,
        ...options,
        headers: { ...length, ...headers },
      },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          const json = text === '' ? undefined : (JSON.parse(text) as Record<string, unknown>);
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text, json });
        });
      },
    );
    asked.on('error', reject);
    asked.end(body);
  });
}
