/**
 * The same requests to a backend and to a sealed bucket of a gateway in front of it, answers compared field by field; and
 * docs/S3-CONFORMANCE.md, which is what came out.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { BUCKET_ROUTES, OBJECT_ROUTES } from '../../src/s3/routes.ts';
import { CASES } from './all-cases.ts';
import { Naming } from './answer-tree.ts';
import type { Case } from './case.ts';
import { differencesOf } from './compare.ts';
import { DIFFERENCES, explaining, type Found } from './differences.ts';
import { ALL_OPERATIONS, conformancePage, type Proof } from './page.ts';
import { ELSEWHERE, OWN, REFUSED } from './refused.ts';
import { startTwins, type Twins } from './start-twins.ts';
import type { Side } from './twins.ts';

let missing: string | undefined;
let twins: Twins;
beforeAll(async () => {
  const started = await startTwins();
  if (typeof started === 'string') {
    missing = `SKIPPED: ${started}`;
    console.warn(missing);
  } else twins = started;
});
beforeEach(({ skip }) => {
  if (missing !== undefined) skip(missing);
});
afterAll(async () => {
  if (missing === undefined) await twins.close();
});

const proofs: Proof[] = [];
const refused = Object.keys(REFUSED);

describe('The gateway answers as the backend does', () => {
  test.each(CASES)('$operation: $what', async (one) => {
    const found = await compared(one);
    expect(found.filter((difference) => explaining(difference) === undefined)).toEqual([]);
    const differences = new Set(found.flatMap((difference) => explaining(difference)?.name ?? []));
    proofs.push({ operation: one.operation, what: one.what, differences });
  });

  async function compared(one: Case): Promise<readonly Found[]> {
    const [direct, gateway] = await Promise.all([treesOf(one, 'direct'), treesOf(one, 'gateway')]);
    return direct.flatMap((tree, index) => differencesOf(one, tree, gateway[index] ?? new Map()));
  }

  async function treesOf({ run, bucket }: Case, name: 'direct' | 'gateway') {
    const { fresh, prefix } = twins[name];
    const naming = new Naming(prefix);
    return [await run(await fresh(bucket))].flat().map((answer) => naming.treeOf(answer));
  }
});

describe('What the gateway refuses', () => {
  let shared: Side | undefined;

  test.each(refused)('%s', async (operation) => {
    const route = [...BUCKET_ROUTES, ...OBJECT_ROUTES].find((row) => row.operation === operation);
    if (route === undefined) throw new Error('no request asks for it');
    shared ??= await twins.gateway.fresh();
    const side = shared;
    const query = Object.fromEntries(route.query.map((name) => [name.split('=')[0] ?? '', name.split('=')[1] ?? '1']));
    const { status, body } = await side.send({
      method: route.method as 'GET', // one of S3's methods: the table has no others
      query,
      ...(OBJECT_ROUTES.includes(route) ? { key: 'k' } : {}),
      ...(route.header === undefined ? {} : { headers: { [route.header]: `${side.bucket}/k` } }),
    });
    expect([status, /<Code>(\w+)/u.exec(body.toString())?.[1]]).toEqual([501, 'NotImplemented']);
  });
});

describe('What the tests above found', () => {
  test('is about every operation of S3', () => {
    const known = new Set<string>([
      ...proofs.map(({ operation }) => operation),
      ...refused,
      ...Object.keys({ ...OWN, ...ELSEWHERE }),
    ]);
    expect(ALL_OPERATIONS.filter((operation) => !known.has(operation))).toEqual([]);
    const compared = new Set<string>(proofs.map(({ operation }) => operation));
    expect(refused.filter((operation) => compared.has(operation))).toEqual([]);
  });

  test('shows every difference that is excepted', () => {
    const shown = new Set(proofs.flatMap(({ differences }) => [...differences]));
    expect(DIFFERENCES.map(({ name }) => name).filter((name) => !shown.has(name))).toEqual([]);
  });

  test('is what docs/S3-CONFORMANCE.md says (npm test -- test/conformance-s3 -u writes it)', async () => {
    await expect(conformancePage(proofs)).toMatchFileSnapshot('../../docs/S3-CONFORMANCE.md');
  });
});
