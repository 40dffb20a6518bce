/**
 * `npm run bench -- list`: a list of 10 000 multipart objects, page by page, of Ceph RGW itself and through Sealgate, which shows sizes of the
 * plaintext and marked ETags: the same objects in the same bucket, copies of one upload. Their sizes come from ETag and length alone,
 * so that it does not matter that they are not sealed.
 */
import { Agent, request } from 'undici';
import type { BenchOptions } from '../options.ts';
import { cpuSeconds } from '../cost.ts';
import { latencyTable, timed, type Timed } from './latency.ts';
import type { Endpoint } from './objects.ts';
import { signed, type Signed } from './signed.ts';
import { createS3World } from './world.ts';

const OBJECTS = 10_000;
const COPIES_AT_ONCE = 16;
const MIB = 2 ** 20;
/** Lists until the engine has compiled what a page needs. */
const UNMEASURED = 5;

export async function benchList({ rounds, print, say }: BenchOptions): Promise<void> {
  const world = await createS3World('radosgw').catch((error: unknown) => {
    say(`list is left out: ${String(error)}`);
    return undefined;
  });
  if (world === undefined) return;
  const agent = new Agent();
  try {
    const through = world.endpoints.filter(({ name }) => name !== 'sealgate, pass-through');
    // Of the bucket that has the rule, by whatever way.
    const targets = through.map((endpoint) => ({ ...endpoint, bucket: 'sealed' }));
    const [direct] = targets;
    if (direct === undefined) throw new Error('nothing to list');
    say(`copying ${OBJECTS} multipart objects`);
    await fill(direct, agent);
    const lists = targets.map((endpoint): Timed => ({ name: endpoint.name, run: () => listAll(endpoint, agent) }));
    for (let one = 0; one < UNMEASURED; one += 1) for (const { run } of lists) await run();
    const before = await cpuSeconds(world.sealgate.pid);
    const samples = await timed(lists, rounds, 1);
    const after = await cpuSeconds(world.sealgate.pid);
    print(latencyTable(`LIST of ${OBJECTS} multipart objects, 1000 a page, Ceph RGW`, lists, samples, 'direct'));
    const pages = (rounds + 1) * (OBJECTS / 1000);
    if (before !== undefined && after !== undefined)
      print(`\nCPU time of Sealgate: ${(((after - before) / pages) * 1000).toFixed(1)} ms a page.`);
  } finally {
    await agent.close();
    await world.close();
  }
}

async function send(endpoint: Endpoint, asked: Signed, agent: Agent): Promise<string> {
  const { method, target, headers = [], body } = signed(endpoint, asked);
  const answer = await request(`http://127.0.0.1:${endpoint.port}${target}`, {
    method,
    headers: headers.flatMap((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
    body: body ?? null,
    dispatcher: agent,
  });
  const text = await answer.body.text();
  if (answer.statusCode >= 300)
    throw new Error(`${endpoint.name} answered ${answer.statusCode}: ${text.slice(0, 300)}`);
  return text;
}

/** One upload of two parts, then copies of it, which have its ETag. */
async function fill(direct: Endpoint, agent: Agent): Promise<void> {
  const key = 'object-00000';
  const created = await send(direct, { method: 'POST', key, query: { uploads: '' } }, agent);
  const uploadId = /<UploadId>([^<]+)</u.exec(created)?.[1] ?? '';
  const parts = [Buffer.alloc(5 * MIB), Buffer.alloc(MIB)];
  for (const [index, body] of parts.entries())
    await send(direct, { method: 'PUT', key, query: { partNumber: String(index + 1), uploadId }, body }, agent);
  const listed = await send(direct, { method: 'GET', key, query: { uploadId } }, agent);
  const etags = [...listed.matchAll(/<ETag>(?:&quot;|")?([0-9a-f]+)/gu)].map(([, etag = '']) => etag);
  const rows = etags.map((etag, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>"${etag}"</ETag></Part>`);
  const body = Buffer.from(`<CompleteMultipartUpload>${rows.join('')}</CompleteMultipartUpload>`);
  await send(direct, { method: 'POST', key, query: { uploadId }, body }, agent);
  let next = 1;
  const copy = async (): Promise<void> => {
    for (let mine = next++; mine < OBJECTS; mine = next++) {
      const headers = { 'x-amz-copy-source': `/sealed/${key}` };
      await send(
        direct,
        { method: 'PUT', key: `object-${String(mine).padStart(5, '0')}`, headers, body: Buffer.alloc(0) },
        agent,
      );
    }
  };
  await Promise.all(Array.from({ length: COPIES_AT_ONCE }, copy));
}

async function listAll(endpoint: Endpoint, agent: Agent): Promise<void> {
  let rows = 0;
  for (let token: string | undefined = ''; token !== undefined;) {
    const query = { 'list-type': '2', ...(token === '' ? {} : { 'continuation-token': token }) };
    const page: string = await send(endpoint, { method: 'GET', query }, agent);
    const etags = page.match(/<ETag>[^<]*-2(?:&quot;|")?</gu)?.length ?? 0;
    if (etags === 0) throw new Error(`no multipart objects in ${page.slice(0, 500)}`);
    rows += etags;
    token = /<NextContinuationToken>([^<]+)</u.exec(page)?.[1];
  }
  if (rows !== OBJECTS) throw new Error(`${endpoint.name} listed ${rows} objects`);
}
