/** `keys.audit` of the config file, with its files read. */
import type { AuditSinkConfig, KeysConfig } from '../config.ts';
import type { ConfigFiles } from '../files.ts';
import { readPeerTls } from '../peer-tls.ts';
import type { ConfigPath, Finding } from '../problem.ts';
import type { ConfigFile } from '../schema.ts';

type AuditFile = ConfigFile['keys']['audit'];
type SinkFile = AuditFile['sinks'][number];

const SINKS: ConfigPath = ['keys', 'audit', 'sinks'];

export async function resolveAudit(
  { file, durability, rotateAtBytes, sinks }: AuditFile,
  files: ConfigFiles,
  findings: Finding[],
): Promise<KeysConfig['audit']> {
  findings.push(...nameFindings(sinks), ...syslogFindings(sinks));
  const resolved = [];
  for (const [index, sink] of sinks.entries()) resolved.push(await resolveSink(sink, files, [...SINKS, index]));
  return { file: files.absolute(file), durability, rotateAtBytes, sinks: resolved };
}

async function resolveSink(sink: SinkFile, files: ConfigFiles, at: ConfigPath): Promise<AuditSinkConfig> {
  const { name, required, maxWaiting } = sink;
  const common = { name, maxWaiting: required ? maxWaiting : undefined };
  if (sink.type === 'file') return { ...common, type: 'file', path: files.absolute(sink.path) };
  const tls = await readPeerTls({ caFile: sink.caFile }, files, at);
  if (sink.type === 'syslog') {
    const { host, port, transport } = sink;
    return { ...common, type: 'syslog', host, port, transport, tls };
  }
  const authorization = await files.secretOf(sink, 'authorization', at);
  return { ...common, type: 'http', url: sink.url, authorization, tls };
}

function nameFindings(sinks: readonly SinkFile[]): readonly Finding[] {
  return sinks.flatMap(({ name }, index): Finding[] => {
    const first = sinks.findIndex((sink) => sink.name === name);
    if (first === index) return [];
    const message = `another sink is called \`${name}\`: each needs a name of its own`;
    const other = [...SINKS, first, 'name'];
    return [{ code: 'ERR_CONFIG_CONTRADICTION', path: [...SINKS, index, 'name'], other, at: 'value', message }];
  });
}

function syslogFindings(sinks: readonly SinkFile[]): readonly Finding[] {
  return sinks.flatMap((sink, index): Finding[] => {
    const path = [...SINKS, index, 'caFile'];
    if (sink.type === 'syslog' && sink.caFile !== undefined && sink.transport !== 'tls') {
      const message = `certificates are for \`transport: tls\`, not for ${sink.transport}`;
      return [{ code: 'ERR_CONFIG_CONTRADICTION', path, at: 'value', message }];
    }
    if (sink.type === 'http' && sink.caFile !== undefined && !sink.url.startsWith('https:'))
      return [
        { code: 'ERR_CONFIG_CONTRADICTION', path, at: 'value', message: 'certificates are for https, not for http' },
      ];
    return [];
  });
}
