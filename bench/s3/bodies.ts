/**
 * `npm run bench -- bodies`: PUT of 64 MiB with each way that S3 has to prove a body, and without any; PUT and GET over TLS. What is
 * compared is what a client pays for the proof: nginx passes it on, Sealgate checks it.
 */
import { createHash, randomBytes } from 'node:crypto';
import { createDigest } from '../../src/s3/bodies/checksums.ts';
import type { BenchOptions } from '../options.ts';
import type { BackendName } from './backend.ts';
import { compare, table, type Subject } from './compare.ts';
import type { Endpoint } from './objects.ts';
import { signed, type Signed } from './signed.ts';
import { WireClient } from './wire-client.ts';
import { createS3World } from './world.ts';

const MIB = 2 ** 20;
const BYTES = 64 * MIB;
const TIMES = 4;
/** As the AWS SDK for JavaScript frames a body whose checksum comes behind it. */
const CHUNK_BYTES = 64 * 1024;

type Proof = { readonly name: string; readonly asked: Pick<Signed, 'headers' | 'body' | 'payloadHash'> };

export async function benchBodies(options: BenchOptions, backend: BackendName): Promise<void> {
  const body = randomBytes(BYTES);
  const proofs = await proofsOf(body);
  const clear = await createS3World(backend);
  try {
    options.print(`\n## Bodies and their proofs, backend: ${clear.backend.about}`);
    for (const proof of proofs) await measure(`PUT of 64 MiB, ${proof.name}`, clear.endpoints, put(proof), options);
    const tls = await createS3World(backend, { tls: true });
    try {
      const [none] = proofs;
      if (none === undefined) throw new Error('no way to put');
      await measure('PUT of 64 MiB over TLS', tls.endpoints, put(none), options);
      await measure('GET of 64 MiB over TLS', tls.endpoints, { method: 'GET' }, options);
    } finally {
      await tls.close();
    }
  } finally {
    await clear.close();
  }
}

const put = ({ asked }: Proof): Signed => ({ method: 'PUT', ...asked });

async function proofsOf(body: Uint8Array): Promise<readonly Proof[]> {
  const digest = await createDigest('crc64nvme');
  digest.update(body);
  const crc = Buffer.from(digest.digest()).toString('base64');
  const md5 = createHash('md5').update(body).digest('base64');
  return [
    { name: 'no proof', asked: { body } },
    { name: 'Content-MD5', asked: { body, headers: { 'content-md5': md5 } } },
    { name: 'CRC64NVME in a header', asked: { body, headers: { 'x-amz-checksum-crc64nvme': crc } } },
    {
      name: 'CRC64NVME in a trailer (aws-chunked)',
      asked: {
        body: framed(body, crc),
        headers: {
          'content-encoding': 'aws-chunked',
          'x-amz-decoded-content-length': String(body.length),
          'x-amz-trailer': 'x-amz-checksum-crc64nvme',
        },
        payloadHash: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
      },
    },
    { name: 'SHA-256, signed', asked: { body, payloadHash: createHash('sha256').update(body).digest('hex') } },
  ];
}

function framed(body: Uint8Array, crc: string): Uint8Array {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < body.length; at += CHUNK_BYTES) {
    const chunk = body.subarray(at, at + CHUNK_BYTES);
    pieces.push(Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n'));
  }
  pieces.push(Buffer.from(`0\r\nx-amz-checksum-crc64nvme:${crc}\r\n\r\n`));
  return Buffer.concat(pieces);
}

async function measure(
  title: string,
  endpoints: readonly Endpoint[],
  asked: Signed,
  { rounds, print }: BenchOptions,
): Promise<void> {
  print(table(title, 'MiB', await compare(endpoints.map(subject(asked)), rounds), 'nginx'));
}

const subject =
  (asked: Signed) =>
  (endpoint: Endpoint): Subject => ({
    name: endpoint.name,
    pid: endpoint.pid,
    run: async () => {
      const client = new WireClient(endpoint.port, endpoint);
      const request = signed(endpoint, { ...asked, key: 'large' });
      for (let time = 0; time < TIMES; time += 1) {
        const { status, text } = await client.send(request);
        if (status !== 200) throw new Error(`${endpoint.name} answered ${status}: ${text.slice(0, 300)}`);
      }
      client.close();
      return (BYTES * TIMES) / MIB;
    },
  });
