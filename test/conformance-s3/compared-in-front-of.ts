/**
 * The tests of one backend: the same requests to it and to a sealed bucket of a gateway in front of it, answers compared field by field; and
 * its page, which is what came out.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { BUCKET_ROUTES, OBJECT_ROUTES } from '../../src/s3/routes.ts';
import { CASES } from './all-cases.ts';
import { Naming } from './answer-tree.ts';
import type { ComparedBackend, Lack } from './backends.ts';
import type { Case } from './case.ts';
import { differencesOf } from './compare.ts';
import { explaining, type Found } from './differences/difference.ts';
import { ALL_OPERATIONS, conformancePage, type Proof } from './page.ts';
import { ELSEWHERE, OWN, REFUSED } from './refused.ts';
import { startTwins, type Twins } from './start-twins.ts';
import type { Side } from './twins.ts';

const refused = Object.keys(REFUSED);

/** Called once in a file, outside of tests. Where the backend is not to be had, each test is skipped with a line that says why. */
export function comparedInFrontOf(backend: ComparedBackend): void {
  const lackOf = ({ operation, what }: Case): Lack | undefined =>
    backend.lacks.find(({ cases }) => cases.test(`${operation}: ${what}`));
  const lacking = CASES.filter((one) => lackOf(one) !== undefined);
  const proofs: Proof[] = [];
  const twins = startedTwins(backend);

  describe(`The gateway answers as ${backend.name} does`, () => {
    test.each(CASES.filter((one) => lackOf(one) === undefined))('$operation: $what', async (one) => {
      const found = await compared(one, twins());
      const explained = found.map((difference) => explaining(difference, backend.differences)?.name);
      expect(found.filter((_, index) => explained[index] === undefined)).toEqual([]);
      const differences = new Set(explained.filter((name) => name !== undefined));
      proofs.push({ operation: one.operation, what: one.what, differences });
    });
    if (lacking.length > 0)
      test.each(lacking)(`cannot be asked of ${backend.name}: $operation: $what`, async (one) => {
        for (const { fresh } of [twins().direct, twins().gateway])
          await expect((async () => one.run(await fresh(one.bucket)))()).rejects.toThrow(/ answered [45]\d\d: /u);
      });
  });

  describe('What the gateway refuses', () => {
    let shared: Side | undefined;

    test.each(refused)('%s', async (operation) => {
      shared ??= await twins().gateway.fresh();
      expect(await refusalOf(operation, shared)).toEqual([501, 'NotImplemented']);
    });
  });

  describe('What the tests above found', () => {
    test('is about every operation of S3', () => {
      const known = new Set<string>([
        ...[...proofs, ...lacking].map(({ operation }) => operation),
        ...refused,
        ...Object.keys({ ...OWN, ...ELSEWHERE }),
      ]);
      expect(ALL_OPERATIONS.filter((operation) => !known.has(operation))).toEqual([]);
      const compared = new Set<string>(proofs.map(({ operation }) => operation));
      expect(refused.filter((operation) => compared.has(operation))).toEqual([]);
    });

    test('shows every difference that is excepted', () => {
      const shown = new Set(proofs.flatMap(({ differences }) => [...differences]));
      expect(backend.differences.map(({ name }) => name).filter((name) => !shown.has(name))).toEqual([]);
    });

    test(`is what docs/${backend.page} says (npm test -- test/conformance-s3 -u writes it)`, async () => {
      const page = conformancePage(
        backend,
        proofs,
        lacking.map((one) => ({ ...one, why: lackOf(one)?.why ?? '' })),
      );
      await expect(page).toMatchFileSnapshot(`../../docs/${backend.page}`);
    });
  });
}

/** Starts them before the tests of the file, and ends them; skips where there are none. */
function startedTwins(backend: ComparedBackend): () => Twins {
  let started: Twins | string = 'not started';
  beforeAll(async () => {
    started = await startTwins(backend);
    if (typeof started !== 'string') return;
    started = `SKIPPED: ${started}`;
    console.warn(started);
  });
  beforeEach(({ skip }) => {
    if (typeof started === 'string') skip(started);
  });
  afterAll(async () => {
    if (typeof started !== 'string') await started.close();
  });
  return () => {
    if (typeof started === 'string') throw new Error(started);
    return started;
  };
}

async function compared(one: Case, twins: Twins): Promise<readonly Found[]> {
  const treesOf = async ({ fresh, prefix }: Twins['direct']) => {
    const naming = new Naming(prefix);
    return [await one.run(await fresh(one.bucket))].flat().map((answer) => naming.treeOf(answer));
  };
  const [direct, gateway] = await Promise.all([treesOf(twins.direct), treesOf(twins.gateway)]);
  return direct.flatMap((tree, index) => differencesOf(one, tree, gateway[index] ?? new Map()));
}

/** Status and code of the answer to a request for it. */
async function refusalOf(operation: string, side: Side): Promise<readonly unknown[]> {
  const route = [...BUCKET_ROUTES, ...OBJECT_ROUTES].find((row) => row.operation === operation);
  if (route === undefined) throw new Error('no request asks for it');
  const query = Object.fromEntries(route.query.map((name) => [name.split('=')[0] ?? '', name.split('=')[1] ?? '1']));
  const { status, body } = await side.send({
    method: route.method as 'GET', // one of S3's methods: the table has no others
    query,
    ...(OBJECT_ROUTES.includes(route) ? { key: 'k' } : {}),
    ...(route.header === undefined ? {} : { headers: { [route.header]: `${side.bucket}/k` } }),
  });
  return [status, /<Code>(\w+)/u.exec(body.toString())?.[1]];
}
