/** docs/ORM-CONFORMANCE.md, of what the replay found. */
import { textOf, type Replayed } from './replay.ts';

export type Found = { readonly application: string; readonly outcomes: readonly Replayed[] };

export function ormPage(found: readonly Found[]): string {
  const rows = found.map(({ application, outcomes }) => {
    const refused = outcomes.filter(({ isRefused }) => isRefused).length;
    return `| ${application} | ${outcomes.length - refused} | ${refused} |`;
  });
  const parts = [
    '# ORMs',
    INTRODUCTION,
    ['| application | exact | refused |', '| --- | --- | --- |', ...rows].join('\n'),
    ...found.flatMap(({ application, outcomes }) => [`## Refused of ${application}`, ...refusedOf(outcomes)]),
  ];
  return `${parts.join('\n\n')}\n`;
}

const INTRODUCTION = `What the statements of real ORMs give on sealed columns. A shop's back office (customers, products, orders, line items) was written with each (\`test/clients/shop-*\`), run on a plain PostgreSQL,
and all that it sent was captured (\`test/captured-sql/captured\`). The tests send that again, message for message, through the proxy to tables with sealed columns and straight to plain ones, and compare rows, names and types of columns,
types of parameters, command tags, SQLSTATEs, transaction states, and in the end all rows of all tables. What is not the same is refused before it is sent, and listed here. Written anew by \`npm test -- test/captured-sql -u\`.

Sealed deterministically are the customer's \`email\`, \`phone\`, \`external_id\`, \`birth_date\`, \`credit\`, \`last_seen\` and \`loyalty\`, and the order's \`number\`; randomized the customer's \`notes\`, \`preferences\` (jsonb),
\`nicknames\` (text[]) and \`vip\`, the order's \`address\` (jsonb) and \`comment\`, and the line item's \`gift_note\`. Each application asks on purpose for what sealing does not allow: order and ranges, sums, patterns, parts of a sealed JSON.`;

function refusedOf(outcomes: readonly Replayed[]): readonly string[] {
  const refused = outcomes.filter(({ isRefused }) => isRefused);
  if (refused.length === 0) return ['Nothing.'];
  return [
    refused
      .map(({ exchange, refusal }) => {
        const said = `${refusal?.message ?? ''}. ${refusal?.hint ?? ''}`.trimEnd();
        return `- ${code(textOf(exchange))}\n  ${said.replaceAll(/[*_<]/gu, String.raw`\$&`)}`;
      })
      .join('\n'),
  ];
}

function code(text: string): string {
  const line = text.replaceAll(/\s+/gu, ' ').trim();
  return line.includes('`') ? `\`\` ${line} \`\`` : `\`${line}\``;
}
