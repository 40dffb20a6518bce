/**
 * Amazon's rules for checksums of parts, as its documentation and the refusals that its users report have them, in front of a store that has
 * none of them: what breaks one is refused as by S3, everything else goes on as it came. Whole objects are not judged: behind long ones a
 * checksum follows, which Ceph RGW 16 and s3rver do not take. Source: Amazon S3 API reference, UploadPart,
 * CompleteMultipartUpload (CompletedPart), and user guide, "Object Lock considerations".
 */
import { createServer, request as ask, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

export type AmazonRules = {
  readonly url: string;
  /** Of the parts of clients' uploads that came: which checksum each had. */
  readonly parts: { readonly number: number; readonly checksums: readonly string[]; readonly bytes: number }[];
  /** Codes of what was refused here. */
  readonly refused: string[];
  /** So often it breaks down when it is asked whether a bucket has Object Lock. */
  lockFailures: number;
  /** Whether it never answers that question. */
  lockHangs: boolean;
  /** How often it was asked it while it did not answer. */
  hung: number;
  close(): Promise<void>;
};

type Refusal = { readonly code: string; readonly message: string };

/** `lockedBuckets`: those with Object Lock. */
export async function startAmazonRules(storeUrl: string, lockedBuckets: readonly string[]): Promise<AmazonRules> {
  const parts: AmazonRules['parts'] = [];
  const refused: string[] = [];
  /** The checksum that an upload named when it began, by the store's upload id. */
  const named = new Map<string, string | undefined>();

  const judged = (incoming: IncomingMessage, body: Buffer): Refusal | undefined => {
    const { pathname, searchParams } = new URL(incoming.url ?? '/', storeUrl);
    const uploadId = searchParams.get('uploadId');
    const checksums = checksumsOf(incoming);
    const isLocked = lockedBuckets.includes(pathname.split('/')[1] ?? '');
    if (incoming.method === 'POST' && uploadId !== null) return completed(named.get(uploadId), body.toString());
    if (incoming.method !== 'PUT' || incoming.headers['x-amz-copy-source'] !== undefined) return undefined;
    if (checksums.length > 1) return invalid('Expecting a single x-amz-checksum- header.');
    if (uploadId === null) return undefined;
    if (!pathname.includes('/.sealgate/'))
      parts.push({ number: Number(searchParams.get('partNumber')), checksums, bytes: body.length });
    if (isLocked && checksums.length === 0)
      return invalid(
        'Content-MD5 OR x-amz-checksum- HTTP header is required for Put Part requests with Object Lock parameters',
      );
    const [sent] = checksums.filter((name) => name !== 'content-md5');
    return sent === undefined || sent === named.get(uploadId)
      ? undefined
      : invalid(`Checksum Type mismatch occurred, expected checksum Type: null, actual checksum Type: ${sent}`);
  };

  const serve = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const body = Buffer.concat(await incoming.toArray());
    const asksForLock = incoming.method === 'GET' && /[?&]object-lock\b/u.test(incoming.url ?? '');
    if (asksForLock && rules.lockHangs) {
      rules.hung += 1;
      return;
    }
    if (asksForLock && rules.lockFailures > 0) {
      rules.lockFailures -= 1;
      outgoing.writeHead(503).end();
      return;
    }
    const refusal = judged(incoming, body);
    if (refusal !== undefined) {
      refused.push(refusal.code);
      const text = `<Error><Code>${refusal.code}</Code><Message>${refusal.message}</Message></Error>`;
      outgoing.writeHead(400, { 'content-type': 'application/xml' }).end(text);
      return;
    }
    const passed = ask(new URL(incoming.url ?? '/', storeUrl), { method: incoming.method, headers: incoming.headers });
    passed.end(body);
    const [answer] = (await once(passed, 'response')) as [IncomingMessage];
    const content = Buffer.concat(await answer.toArray());
    const begun = /<UploadId>([^<]+)</u.exec(content.toString('latin1'))?.[1];
    if (incoming.method === 'POST' && begun !== undefined && !named.has(begun))
      named.set(begun, incoming.headers['x-amz-checksum-algorithm']?.toString().toLowerCase());
    outgoing.writeHead(answer.statusCode ?? 500, answer.headers).end(content);
  };

  const server = createServer((incoming, outgoing) => {
    serve(incoming, outgoing).catch((error: unknown) => outgoing.destroy(error as Error));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const rules: AmazonRules = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, // A TCP server has an address object.
    parts,
    refused,
    lockFailures: 0,
    lockHangs: false,
    hung: 0,
    close: async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
  return rules;
}

const invalid = (message: string): Refusal => ({ code: 'InvalidRequest', message });

const checksumsOf = ({ headers }: IncomingMessage): readonly string[] => [
  ...Object.keys(headers)
    .filter((name) => name === 'content-md5' || /^x-amz-checksum-(?:crc|sha)/u.test(name))
    .map((name) => name.replace('x-amz-checksum-', '')),
  ...(headers['x-amz-trailer'] === undefined ? [] : [String(headers['x-amz-trailer']).replace('x-amz-checksum-', '')]),
];

function completed(algorithm: string | undefined, document: string): Refusal | undefined {
  const numbers = [...document.matchAll(/<PartNumber>(\d+)</gu)].map(([, number]) => Number(number));
  return algorithm === undefined || numbers.every((number, index) => number === index + 1)
    ? undefined
    : {
        code: 'InvalidPartOrder',
        message: 'Part numbers must be consecutive and begin with 1 when a checksum is used.',
      };
}
