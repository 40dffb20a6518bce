/** `sealgate keys audit-verify` */
import type { AuditProblem, AuditReport } from '../../keys/audit/verify.ts';
import { unreachable } from '../../errors.ts';
import { CONFIG_OPTION, defineCommand, EXIT } from '../command.ts';
import { formatJson } from './format.ts';
import { JSON_OPTION, keySettings } from './session.ts';

export const keysAuditVerifyCommand = defineCommand({
  name: 'keys audit-verify',
  summary: 'check the audit log’s chain from its first record to its last',
  usage: 'keys audit-verify [--json]',
  example: 'sealgate keys audit-verify',
  details:
    'Reads only, and works beside a running `sealgate up`. Exit code 0: whole; 1: a record was changed, removed, added or moved.',
  options: { ...CONFIG_OPTION, ...JSON_OPTION },
  run: async ({ values }, io) => {
    const { options } = await keySettings(values, io);
    const { verifyAudit } = await import('../../keys/offline.ts');
    const report = await verifyAudit(options);
    io.stdout.write(values.json === true ? formatJson(report) : formatReport(report, options.audit.path));
    return report.problem === undefined ? EXIT.ok : EXIT.failure;
  },
});

function formatReport(report: AuditReport, path: string): string {
  const gaps = report.gaps.map(
    ({ line, afterSeq, nextSeq }) =>
      `gap accepted at line ${line}: records ${afterSeq + 1} to ${nextSeq - 1} are missing\n`,
  );
  const end = report.unfinishedBytes > 0 ? `${report.unfinishedBytes} bytes of an unfinished write at the end\n` : '';
  const verdict =
    report.problem === undefined
      ? `${path} is whole: ${report.records} records, the last is ${report.lastSeq}\n`
      : formatProblem(report.problem, path);
  return gaps.join('') + end + verdict;
}

function formatProblem(problem: AuditProblem, path: string): string {
  switch (problem.type) {
    case 'bad-record':
      return `${path}:${problem.line}: not a genuine record (after record ${problem.afterSeq})\n`;
    case 'broken-chain':
      return `${path}:${problem.line}: record ${problem.seq} does not follow record ${problem.afterSeq}\n`;
    case 'truncated':
      return `${path}: ends with record ${problem.lastSeq}, but record ${problem.rememberedSeq} was written\n`;
    default:
      return unreachable(problem);
  }
}
