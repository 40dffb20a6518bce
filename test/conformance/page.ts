/** docs/KMS-CONFORMANCE.md, of what the tests proved and of what is excepted. */
import { OTHER_LIMITS, REFUSED_ACTIONS, whyUnproven } from './exceptions.ts';
import { ACTION_NAMES, actionNamed, MODEL } from './model.ts';
import type { Proofs } from './proofs.ts';

export function conformancePage(proofs: Proofs): string {
  const answered = ACTION_NAMES.filter((action) => REFUSED_ACTIONS[action] === undefined);
  const parts = [
    '# KMS conformance',
    INTRODUCTION,
    `The model: ${MODEL.source}. It has ${ACTION_NAMES.length} actions, of which ${answered.length} are answered.`,
    '## Actions',
    table(
      ['action', 'answers', 'errors', 'limits', 'pages'],
      ACTION_NAMES.map((action) => summary(action, proofs)),
    ),
    '## Limits that are not the model’s',
    table(
      ['shape', 'why'],
      Object.entries(OTHER_LIMITS).map(([shape, { why }]) => [shape, why]),
    ),
    '## Values that are refused',
    'They are read and held to their limits like all others, and then answered UnsupportedOperationException.',
    table(
      ['value', 'why'],
      proofs.of('value').map(({ what, why }) => [what, why]),
    ),
    '## Errors that the model does not name',
    'They may come whatever the action.',
    table(
      ['error', 'tested by'],
      proofs.of('request').map(({ error, how }) => [error, how]),
    ),
    '## Action by action',
    ...answered.flatMap((action) => section(action, proofs)),
  ];
  return `${parts.join('\n\n')}\n`;
}

const INTRODUCTION = `Every action, error and limit of AWS's current service model of KMS, and whether a test shows that a listener of Sealgate
has it. This page is written by those tests from what they proved, by real requests over HTTP (\`test/conformance/\`): a row is here because the test that
ran showed it, or because it is excepted, with the reason. A row that is neither fails the tests, as an exception does that is none any more. Written anew by
\`npm test -- test/conformance -u\`.

- _Answers_: a request that succeeds; each member of the answer is one of AWS's, of its type and within its limits.
- _Errors_: those that AWS's model declares for the action, each brought about, with AWS's name, status 400 (500 and 503 for faults of ours) and text.
- _Limits_: a value beyond each limit of each member is refused, naming member, limit and value as AWS does; one on the limit is not refused for it. A value of another
  JSON type is a SerializationException.
- _Pages_: all items, each once, whatever the page's size.`;

function summary(action: string, proofs: Proofs): readonly string[] {
  const refused = REFUSED_ACTIONS[action];
  if (refused !== undefined) return [action, refused, '', '', ''];
  const { errors } = actionNamed(action);
  const proven = errors.filter((error) => proofs.howOf(action, error) !== undefined).length;
  const limits = proofs.of('limit').filter((proof) => proof.action === action).length;
  const pages = proofs.has('pages', action) ? 'tested' : '';
  const answers = proofs.has('answer', action) ? 'tested' : 'GAP';
  return [link(action), answers, `${proven} of ${errors.length}`, String(limits), pages];
}

const link = (action: string): string => `[${action}](#${action.toLowerCase()})`;

function section(action: string, proofs: Proofs): readonly string[] {
  const errors = actionNamed(action).errors.map((error) => {
    const how = proofs.howOf(action, error);
    const why = whyUnproven(action, error);
    return [error, how ?? (why === undefined ? 'GAP' : `_not here_: ${why}`)];
  });
  const members = Map.groupBy(
    proofs.of('limit').filter((proof) => proof.action === action),
    ({ member }) => member,
  );
  const limits = [...members].map(([member, proven]) => [member, proven.map(({ limit }) => limit).join('; ')]);
  return [`### ${action}`, table(['error', 'tested by'], errors), table(['member', 'limits'], limits)];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
