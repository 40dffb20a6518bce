/** Errors that AWS's model does not name, since they may come whatever the action: of transport, form, signature and permission. */
import { talk } from '../support/s3/raw-s3.ts';
import { CALLER, send, signKms, startKms, type KmsAnswer, type TestKms } from '../support/kms/edge.ts';

type Refusal = {
  readonly error: string;
  readonly how: string;
  readonly status: number;
  /** The answer, with its status line, as text. */
  readonly answered: (kms: TestKms) => Promise<string>;
};

const EMPTY = Buffer.from('{}');
const whole = async (answer: Promise<KmsAnswer>): Promise<string> => {
  const { status, text } = await answer;
  return `HTTP/1.1 ${status} \r\n\r\n${text}`;
};
const headOf = (headers: Readonly<Record<string, string>>): string =>
  ['POST / HTTP/1.1', ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`), '', ''].join('\r\n');
const sent = (kms: TestKms, headers: Readonly<Record<string, string>>): Promise<string> =>
  whole(send({ port: kms.port, tls: false }, headers, EMPTY));
const signed = (kms: TestKms): Readonly<Record<string, string>> => signKms(kms.port, EMPTY, {});
const { authorization: _none, ...UNSIGNED } = signKms(1, EMPTY, {});

export const REFUSALS: readonly Refusal[] = [
  {
    error: 'ValidationException',
    how: 'every limit below',
    status: 400,
    answered: (kms) => whole(kms.call('ListKeys', { Limit: 0 })),
  },
  {
    error: 'SerializationException',
    how: 'a body that is no JSON; every type below',
    status: 400,
    answered: (kms) => whole(kms.call('ListKeys', '{"Limit":')),
  },
  {
    error: 'UnknownOperationException',
    how: 'an X-Amz-Target that names no action',
    status: 400,
    answered: (kms) => whole(kms.call('TrentService.ListNothing')),
  },
  {
    error: 'RequestEntityTooLargeException',
    how: 'a body of more than 1 MiB',
    status: 413,
    answered: (kms) => talk(kms.port, [headOf({ ...signed(kms), 'content-length': String(1024 * 1024 + 1) })]),
  },
  {
    error: 'RequestHeaderSectionTooLargeException',
    how: 'headers of more than 32 KiB',
    status: 431,
    answered: (kms) => talk(kms.port, [headOf({ ...signed(kms), 'x-filler': 'x'.repeat(33 * 1024) })]),
  },
  {
    error: 'RequestTimeoutException',
    how: 'headers that do not end',
    status: 408,
    answered: async () => {
      await using hasty = await startKms({ limits: { headersTimeoutMs: 50 } });
      return await talk(hasty.port, ['POST / HTTP/1.1\r\n']);
    },
  },
  {
    error: 'MalformedHttpRequestException',
    how: 'a TLS greeting where plain HTTP is served',
    status: 400,
    answered: (kms) => talk(kms.port, ['\u0016\u0003\u0001 this is TLS']),
  },
  {
    error: 'MissingAuthenticationTokenException',
    how: 'a request that is not signed',
    status: 400,
    answered: (kms) => sent(kms, UNSIGNED),
  },
  {
    error: 'IncompleteSignatureException',
    how: 'an Authorization header without a signature',
    status: 400,
    answered: (kms) => sent(kms, { ...UNSIGNED, authorization: 'AWS4-HMAC-SHA256 Credential=a' }),
  },
  {
    error: 'InvalidSignatureException',
    how: 'another secret',
    status: 400,
    answered: (kms) => whole(kms.call('ListKeys', {}, { credentials: { ...CALLER, secretAccessKey: 'wrong' } })),
  },
  {
    error: 'UnrecognizedClientException',
    how: 'an access key that is not configured',
    status: 400,
    answered: (kms) => whole(kms.call('ListKeys', {}, { credentials: { ...CALLER, accessKeyId: 'OTHER' } })),
  },
  {
    error: 'AccessDeniedException',
    how: 'a caller whom nothing allows it',
    status: 400,
    answered: async () => {
      const authorizer = { decide: () => ({ allow: false, why: 'test' }) };
      await using denying = await startKms({ ports: { authorizer } });
      return await whole(denying.call('ListKeys'));
    },
  },
  {
    error: 'ThrottlingException',
    how: 'more bodies at once than the listener may hold',
    status: 400,
    answered: async () => {
      await using narrow = await startKms({ limits: { bodiesBytes: 1 } });
      return await whole(narrow.call('ListKeys'));
    },
  },
];
