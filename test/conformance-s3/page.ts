/** docs/S3-CONFORMANCE.md, of what the tests found. */
import {
  BUCKET_OPERATIONS,
  OBJECT_OPERATIONS,
  SERVICE_OPERATIONS,
  type S3OperationName,
} from '../../src/s3/operation-names.ts';
import { DIFFERENCES } from './differences.ts';
import { ELSEWHERE, OWN, REFUSED } from './refused.ts';

/** A case that ran, and the names of the differences it showed. */
export type Proof = {
  readonly operation: S3OperationName;
  readonly what: string;
  readonly differences: ReadonlySet<string>;
};

export const ALL_OPERATIONS: readonly S3OperationName[] = [
  ...SERVICE_OPERATIONS,
  ...BUCKET_OPERATIONS,
  ...OBJECT_OPERATIONS,
].toSorted();

export function conformancePage(proofs: readonly Proof[]): string {
  const parts = [
    '# S3 conformance',
    INTRODUCTION,
    `${ALL_OPERATIONS.length} operations, ${new Set(proofs.map(({ operation }) => operation)).size} of them compared in ${proofs.length} cases.`,
    '## Operations',
    table(
      ['operation', 'tested', 'differences'],
      ALL_OPERATIONS.map((operation) => summary(operation, proofs)),
    ),
    '## Differences and their reasons',
    table(
      ['difference', 'reason'],
      DIFFERENCES.map(({ name, why }) => [name, why]),
    ),
    '## Case by case',
    table(
      ['operation', 'what is asked', 'differences'],
      ALL_OPERATIONS.flatMap((operation) => details(operation, proofs)),
    ),
  ];
  return `${parts.join('\n\n')}\n`;
}

const INTRODUCTION = `Every operation of Amazon S3, and how the answer of a sealed bucket behind Sealgate differs from the answer of a plain bucket at
the same backend. This page is written by the tests (\`test/conformance-s3/\`) from what they found: each case sends the same requests to both and compares status, headers and every element of the
document. A difference that is not listed here with its reason fails the tests; so does a reason that nothing shows any more, and an operation that is neither compared nor refused. Written anew by
\`npm test -- test/conformance-s3 -u\`, where Ceph RGW is installed.

Not compared: dates and ids of requests, hosts and uploads (that they stand in the same places is), the connection's own headers, and the length of documents. ETags and version ids are compared by which
of them are equal, and by the marks on them.`;

const of = (operation: S3OperationName, proofs: readonly Proof[]): readonly Proof[] =>
  proofs.filter((proof) => proof.operation === operation);

const names = (proofs: readonly Proof[]): string => {
  const found = new Set(proofs.flatMap(({ differences }) => [...differences]));
  return DIFFERENCES.flatMap(({ name }) => (found.has(name) ? [name] : [])).join('; ');
};

function summary(operation: S3OperationName, proofs: readonly Proof[]): readonly string[] {
  const own = of(operation, proofs);
  if (own.length > 0) return [operation, `${own.length} ${own.length === 1 ? 'case' : 'cases'}`, names(own)];
  const ownWord = OWN[operation];
  if (ownWord !== undefined) return [operation, 'of its own', ownWord];
  const why = REFUSED[operation];
  return [operation, why === undefined ? '' : 'refused', why ?? ELSEWHERE[operation] ?? 'GAP'];
}

const details = (operation: S3OperationName, proofs: readonly Proof[]): readonly (readonly string[])[] =>
  of(operation, proofs).map((proof) => [operation, proof.what, names([proof])]);

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(escaped).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

const escaped = (cell: string): string => cell.replaceAll('|', String.raw`\|`).replaceAll('*', String.raw`\*`);
