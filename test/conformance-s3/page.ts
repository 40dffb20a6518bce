/** docs/S3-CONFORMANCE.md and its sibling, of what the tests found. */
import {
  BUCKET_OPERATIONS,
  OBJECT_OPERATIONS,
  SERVICE_OPERATIONS,
  type S3OperationName,
} from '../../src/s3/operation-names.ts';
import type { ComparedBackend } from './backends.ts';
import type { Difference } from './differences/difference.ts';
import { ELSEWHERE, OWN, REFUSED } from './refused.ts';
import { UNLIKE_AMAZON } from './unlike-amazon.ts';

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

/** A case that the backend cannot be asked, and why not. */
export type Lacking = { readonly operation: S3OperationName; readonly what: string; readonly why: string };

export function conformancePage(
  backend: ComparedBackend,
  proofs: readonly Proof[],
  lacking: readonly Lacking[],
): string {
  const { name, differences } = backend;
  const parts = [
    `# S3 conformance${name === 'Ceph RGW' ? '' : `, in front of ${name}`}`,
    introduction(backend),
    `${ALL_OPERATIONS.length} operations, ${new Set(proofs.map(({ operation }) => operation)).size} of them compared in ${proofs.length} cases.`,
    '## Operations',
    table(
      ['operation', 'tested', 'differences'],
      ALL_OPERATIONS.map((operation) => summary(operation, proofs, lacking, differences)),
    ),
    '## Differences and their reasons',
    table(
      ['difference', 'reason'],
      differences.map(({ name, why }) => [name, why]),
    ),
    ...(name === 'Ceph RGW'
      ? [
          '## Unlike Amazon S3, where the stores are too',
          'Comparing shows nothing of these: they were found with the API reference beside the answers. Each is milder than S3, the store’s own affair, or refused for the reason given.',
          table(['what is asked', 'Amazon S3', 'here'], UNLIKE_AMAZON),
        ]
      : []),
    '## Case by case',
    table(
      ['operation', 'what is asked', 'differences'],
      ALL_OPERATIONS.flatMap((operation) => details(operation, proofs, lacking, backend)),
    ),
  ];
  return `${parts.join('\n\n')}\n`;
}

const introduction = ({
  name,
  needs,
}: ComparedBackend): string => `Every operation of Amazon S3, and how the answer of a sealed bucket behind Sealgate differs from the answer of a plain bucket at
the same backend, ${name}. This page is written by the tests (\`test/conformance-s3/\`) from what they found: each case sends the same requests to both and compares status, headers and every element of the
document. A difference that is not listed here with its reason fails the tests; so does a reason that nothing shows any more, and an operation that is neither compared nor refused. Written anew by
\`npm test -- test/conformance-s3 -u\`${needs}.

Not compared: dates and ids of requests, hosts and uploads (that they stand in the same places is), the connection's own headers, and the length of documents. ETags and version ids are compared by which
of them are equal, and by the marks on them. ${name === 'Ceph RGW' ? 'The same in front of s3rver, which is there on every machine and knows less: [S3-CONFORMANCE-S3RVER.md](S3-CONFORMANCE-S3RVER.md).' : 'In front of Ceph RGW, which knows more: [S3-CONFORMANCE.md](S3-CONFORMANCE.md).'}`;

const of = <One extends { readonly operation: string }>(operation: string, all: readonly One[]): readonly One[] =>
  all.filter((one) => one.operation === operation);

function names(proofs: readonly Proof[], differences: readonly Difference[]): string {
  const found = new Set(proofs.flatMap((proof) => [...proof.differences]));
  return differences.flatMap(({ name }) => (found.has(name) ? [name] : [])).join('; ');
}

function summary(
  operation: S3OperationName,
  proofs: readonly Proof[],
  lacking: readonly Lacking[],
  differences: readonly Difference[],
): readonly string[] {
  const own = of(operation, proofs);
  if (own.length > 0)
    return [operation, `${own.length} ${own.length === 1 ? 'case' : 'cases'}`, names(own, differences)];
  const ownWord = OWN[operation];
  if (ownWord !== undefined) return [operation, 'of its own', ownWord];
  const [lack] = of(operation, lacking);
  if (lack !== undefined) return [operation, 'not here', `the backend ${lack.why}`];
  const why = REFUSED[operation];
  return [operation, why === undefined ? '' : 'refused', why ?? ELSEWHERE[operation] ?? 'GAP'];
}

const details = (
  operation: S3OperationName,
  proofs: readonly Proof[],
  lacking: readonly Lacking[],
  { name, differences }: ComparedBackend,
): readonly (readonly string[])[] => [
  ...of(operation, proofs).map((proof) => [operation, proof.what, names([proof], differences)]),
  ...of(operation, lacking).map(({ what, why }) => [operation, what, `not compared: ${name} ${why}`]),
];

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(escaped).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

const escaped = (cell: string): string => cell.replaceAll('|', String.raw`\|`).replaceAll('*', String.raw`\*`);
