/** docs/SQL-CONFORMANCE.md, of what the tests found. */
import type { Refusal } from '../support/postgres/wire-asker.ts';
import type { Case, Shape } from './case.ts';

/** A case that ran; with the refusal, where it was refused. */
export type Proof = { readonly shape: string; readonly one: Case; readonly refusal: Refusal | undefined };

export function conformancePage(shapes: readonly Shape[], proofs: readonly Proof[]): string {
  const of = (shape: string): readonly Proof[] => proofs.filter((proof) => proof.shape === shape);
  const refused = proofs.filter(({ refusal }) => refusal !== undefined).length;
  const parts = [
    '# SQL conformance',
    INTRODUCTION,
    `${proofs.length} statements of ${shapes.length} shapes: ${proofs.length - refused} give exactly what plain columns give, ${refused} are refused.`,
    '## Shapes',
    table(
      ['shape', 'exact', 'refused'],
      shapes.map(({ shape }) => {
        const own = of(shape);
        const no = own.filter(({ refusal }) => refusal !== undefined).length;
        return [`[${shape}](#${anchor(shape)})`, String(own.length - no), no === 0 ? '' : String(no)];
      }),
    ),
    ...shapes.flatMap(({ shape }) => [`## ${shape}`, ...section(of(shape))]),
  ];
  return `${parts.join('\n\n')}\n`;
}

const INTRODUCTION = `Which SQL gives on sealed columns what it gives on plain ones, and which is refused. This page is written by the tests (\`test/conformance-sql/\`) from what they found:
each statement runs through the proxy on tables with sealed columns and straight on a server with the same tables in plain types, in the simple protocol and the extended one, with text and with binary values.
Rows, names and types of columns, types of parameters, command tags, errors, the transaction's state and all rows of all tables afterwards are compared. A statement that is refused was not sent: it fails with SQLSTATE 0A000,
names the column and the place, and says how to write it. Written anew by \`npm test -- test/conformance-sql -u\`.

In these tables \`email\` (varchar(40)), \`ssn\` (text), \`score\` (int4), \`points\` (int8), \`amount\` (numeric(10,2)), \`born\` (date), \`token\` (uuid) and \`tree.label\` are sealed deterministically, those of one name in one domain
(\`score\` and \`points\` in one, \`label\` with \`email\`); \`note\`, \`memo\`, \`nick\` (text) and \`active\` (bool) are randomized; everything else is plain.
\`events\` is partitioned by \`day\`, with \`events_listed\` and \`events_hashed\` partitioned in turn; \`cats\` inherits from \`animals\`. Rules name the topmost tables alone.`;

function section(proofs: readonly Proof[]): readonly string[] {
  const exact = proofs.filter(({ refusal }) => refusal === undefined);
  const refused = proofs.filter(({ refusal }) => refusal !== undefined);
  return [
    ...(exact.length === 0 ? [] : [['Exact:', '', ...exact.map(({ one }) => `- ${statementText(one)}`)].join('\n')]),
    ...(refused.length === 0 ? [] : [['Refused:', '', ...refused.map((proof) => refusedText(proof))].join('\n')]),
  ];
}

function refusedText({ one, refusal }: Proof): string {
  return `- ${statementText(one)}\n  ${escaped(refusal?.message ?? '')}. ${escaped(refusal?.hint ?? '')}`.trimEnd();
}

function statementText({ before, sql, values }: Case): string {
  const parameters =
    values.length === 0 ? '' : ` with ${values.map((value) => code(JSON.stringify(value))).join(', ')}`;
  const earlier = before.map((statement) => `${code(statement)}; `).join('');
  return `${earlier}${code(sql)}${parameters}`;
}

function code(text: string): string {
  const line = text.replaceAll(/\s+/gu, ' ').trim();
  return line.includes('`') ? `\`\` ${line} \`\`` : `\`${line}\``;
}

const anchor = (shape: string): string =>
  shape
    .toLowerCase()
    .replaceAll(/[^a-z0-9 -]/gu, '')
    .replaceAll(' ', '-');

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

const escaped = (text: string): string => text.replaceAll(/[*_<]/gu, String.raw`\$&`);
