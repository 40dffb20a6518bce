/** The client side of the KMS API: what our own proxies ask of another Sealgate, or of AWS KMS. */
import type { EncryptionContext } from '../../envelope/encryption-context.ts';
import { KeysError } from '../../keys/errors.ts';
import type { RemoteKeyDescription, RemoteKms } from '../../keys/remote/remote-kms.ts';
import { KmsError } from '../errors.ts';
import { readInput, type ReadStruct } from '../shapes/read.ts';
import { blob, optional, string, struct, type StructData } from '../shapes/shapes.ts';
import { KmsTransport, type KmsTransportOptions } from './transport.ts';

const text = optional(string());
const bytes = optional(blob(0, Number.POSITIVE_INFINITY));
const ANSWERS = {
  GenerateDataKey: struct({ Plaintext: bytes, CiphertextBlob: bytes, KeyId: text }),
  Decrypt: struct({ Plaintext: bytes, KeyId: text }),
  ReEncrypt: struct({ CiphertextBlob: bytes, KeyId: text, SourceKeyId: text }),
  DescribeKey: struct({
    KeyMetadata: optional(struct({ Arn: text, KeyState: text, KeySpec: text })),
  }),
} as const;

export class KmsClient implements RemoteKms {
  readonly #transport: KmsTransport;

  constructor(options: KmsTransportOptions) {
    this.#transport = new KmsTransport(options);
  }

  async generateDataKey({
    keyId,
    context,
  }: Parameters<RemoteKms['generateDataKey']>[0]): ReturnType<RemoteKms['generateDataKey']> {
    const answer = await this.#ask('GenerateDataKey', { KeyId: keyId, KeySpec: 'AES_256', ...inContext(context) });
    return {
      plaintext: answer.bytes('Plaintext'),
      wrapped: answer.bytes('CiphertextBlob'),
      keyArn: answer.arn('KeyId'),
    };
  }

  async decrypt({ wrapped, context, keyId }: Parameters<RemoteKms['decrypt']>[0]): ReturnType<RemoteKms['decrypt']> {
    const named = keyId === undefined ? {} : { KeyId: keyId };
    const answer = await this.#ask('Decrypt', { CiphertextBlob: base64(wrapped), ...named, ...inContext(context) });
    return { plaintext: answer.bytes('Plaintext'), keyArn: answer.arn('KeyId') };
  }

  async reEncrypt(request: Parameters<RemoteKms['reEncrypt']>[0]): ReturnType<RemoteKms['reEncrypt']> {
    const answer = await this.#ask('ReEncrypt', {
      CiphertextBlob: base64(request.wrapped),
      SourceEncryptionContext: request.sourceContext,
      DestinationKeyId: request.destinationKeyId,
      DestinationEncryptionContext: request.destinationContext,
    });
    return {
      wrapped: answer.bytes('CiphertextBlob'),
      keyArn: answer.arn('KeyId'),
      sourceKeyArn: answer.arn('SourceKeyId'),
    };
  }

  async describeKey(keyId: string): Promise<RemoteKeyDescription> {
    const metadata = (await this.#ask('DescribeKey', { KeyId: keyId })).part('KeyMetadata');
    return { arn: metadata.arn('Arn'), state: metadata.text('KeyState'), spec: metadata.text('KeySpec') };
  }

  close(): Promise<void> {
    return this.#transport.close();
  }

  async #ask(action: keyof typeof ANSWERS, input: object): Promise<AnswerFields> {
    const body = await this.#transport.call(action, input);
    try {
      return new AnswerFields(readInput(body, shapeOf(action)).value);
    } catch (error) {
      throw error instanceof KmsError ? noAnswer({ cause: error }) : error;
    } finally {
      // What was read of it is a copy.
      body.fill(0);
    }
  }
}

const shapeOf = (action: keyof typeof ANSWERS): StructData => ANSWERS[action];

/** Members of an answer that have to be there. */
class AnswerFields {
  readonly #value: ReadStruct;

  constructor(value: ReadStruct) {
    this.#value = value;
  }

  bytes(name: string): Uint8Array {
    const value = this.#value[name];
    return value instanceof Uint8Array ? value : missing(this.#value);
  }

  text(name: string): string {
    const value = this.#value[name];
    return typeof value === 'string' ? value : missing(this.#value);
  }

  /** Of a key: it goes into records and decisions, so it has the form of one. */
  arn(name: string): string {
    const arn = this.text(name);
    return /^arn:[\w-]+:kms:[\w-]*:\d{12}:key\/[\w-]{1,100}$/u.test(arn) ? arn : missing(this.#value);
  }

  part(name: string): AnswerFields {
    const value = this.#value[name];
    // The shape read a structure there.
    return typeof value === 'object' && value !== null ? new AnswerFields(value as ReadStruct) : missing(this.#value);
  }
}

function missing(value: ReadStruct): never {
  for (const member of Object.values(value)) if (member instanceof Uint8Array) member.fill(0);
  throw noAnswer();
}

const noAnswer = (options?: ErrorOptions): KeysError =>
  new KeysError('ERR_KEYS_REMOTE_PROTOCOL', 'what the remote key manager answered is no answer of KMS', options);

const base64 = (value: Uint8Array): string => Buffer.from(value).toString('base64');
const inContext = (context: EncryptionContext): object =>
  Object.keys(context).length === 0 ? {} : { EncryptionContext: context };
