/** `sealgate audit verify`: the log's chain, by the store's own keys or by the public key of its checkpoints. */
import type { AuditProblem, AuditReport } from '../../keys/audit/verify.ts';
import { unreachable } from '../../errors.ts';
import { CONFIG_OPTION, defineCommand, EXIT } from '../command.ts';
import { CliError } from '../errors.ts';
import { formatJson } from '../keys/format.ts';
import { JSON_OPTION, keySettings } from '../keys/session.ts';

export const auditVerifyCommand = defineCommand({
  name: 'audit verify',
  summary: 'check the audit log’s chain from its first record to its last',
  usage: 'audit verify [--json]\n       sealgate audit verify --file <log> --public-key <hex> [--json]',
  example: 'sealgate audit verify',
  details:
    'Reads only, and works beside a running `sealgate up`. Exit code 0: whole; 1: a record was changed, removed, added or moved.\nFiles that were rotated away are checked with the log as far as they lie beside it, and each by itself with --file.\nIt prints the public key of the log’s signed checkpoints: keep it elsewhere. With it alone, and without the key store, whoever has a copy\nof the log can check it up to the last checkpoint.',
  options: {
    ...CONFIG_OPTION,
    file: { type: 'string', placeholder: 'log', help: 'a log, or a copy of one, to check without the key store' },
    'public-key': { type: 'string', placeholder: 'hex', help: 'the key of its checkpoints, 64 hex digits' },
    ...JSON_OPTION,
  },
  run: async ({ values }, io) => {
    const { file, 'public-key': publicKey } = values;
    const { path, report } =
      file === undefined && publicKey === undefined
        ? await byStore(await keySettings(values, io))
        : await byPublicKey(file, publicKey);
    const isAttestedAlone = publicKey !== undefined;
    io.stdout.write(values.json === true ? formatJson(report) : formatReport(report, path, isAttestedAlone));
    return report.problem === undefined ? EXIT.ok : EXIT.failure;
  },
});

type Checked = { readonly path: string; readonly report: AuditReport };

async function byStore({ options }: Awaited<ReturnType<typeof keySettings>>): Promise<Checked> {
  const { verifyAudit } = await import('../../keys/offline.ts');
  return { path: options.audit.path, report: await verifyAudit(options) };
}

async function byPublicKey(file: string | undefined, publicKey: string | undefined): Promise<Checked> {
  if (file === undefined || publicKey === undefined)
    throw new CliError('ERR_CLI_USAGE', '--file and --public-key are given together');
  if (!/^[0-9a-f]{64}$/i.test(publicKey)) throw new CliError('ERR_CLI_USAGE', '--public-key takes 64 hex digits');
  const { verifyAttestedLog } = await import('../../keys/audit/verify.ts');
  return { path: file, report: verifyAttestedLog(file, Buffer.from(publicKey, 'hex')) };
}

function formatReport(report: AuditReport, path: string, isAttestedAlone: boolean): string {
  const gaps = report.gaps.map(
    ({ file, line, afterSeq, nextSeq }) =>
      `gap accepted at ${file}:${line}: records ${afterSeq + 1} to ${nextSeq - 1} are missing\n`,
  );
  const end = report.unfinishedBytes > 0 ? `${report.unfinishedBytes} bytes of an unfinished write at the end\n` : '';
  return beginning(report) + gaps.join('') + end + verdict(report, path, isAttestedAlone);
}

function beginning({ startsAfter }: AuditReport): string {
  if (startsAfter === 0) return '';
  return `begins with record ${startsAfter + 1}: those before it are in files that are not here\n`;
}

function verdict(report: AuditReport, path: string, isAttestedAlone: boolean): string {
  const { problem, records, lastSeq, checkpoints, attestedSeq, checkpointKey } = report;
  if (problem !== undefined) return formatProblem(problem, path);
  const signed = `${checkpoints} signed checkpoints, the last covers records up to ${attestedSeq}; key ${checkpointKey}\n`;
  if (!isAttestedAlone) return `${path} is whole: ${records} records, the last is ${lastSeq}\n${signed}`;
  return `${path} is as it was signed up to record ${attestedSeq}; what follows, up to record ${lastSeq}, only the store can prove\n${signed}`;
}

function formatProblem(problem: AuditProblem, path: string): string {
  switch (problem.type) {
    case 'bad-record':
      return `${problem.file}:${problem.line}: not a genuine record (after record ${problem.afterSeq})\n`;
    case 'broken-chain':
      return `${problem.file}:${problem.line}: record ${problem.seq} does not follow record ${problem.afterSeq}\n`;
    case 'bad-checkpoint':
      return `${problem.file}:${problem.line}: the signature of checkpoint ${problem.seq} is not of this key and chain\n`;
    case 'truncated':
      return `${path}: ends with record ${problem.lastSeq}, but record ${problem.rememberedSeq} was written\n`;
    default:
      return unreachable(problem);
  }
}
