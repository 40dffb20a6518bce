/** Section `postgres`, from the file's form to the room's. */
import { readColumnRules } from '../column-rules.ts';
import type { PostgresConfig, PostgresServerConfig } from '../config.ts';
import type { ConfigFiles } from '../files.ts';
import type { ConfigPath, Finding } from '../problem.ts';
import { resolvePostgresListen } from './postgres-listen.ts';
import { resolveUpstream, type Tools } from './postgres-server.ts';
import { resolveService } from './postgres-service.ts';
import { resolveUsers, resolveVerifiers } from './postgres-users.ts';
import type { ConfigFile } from '../schema.ts';

type Section = NonNullable<ConfigFile['postgres']>;

export async function resolvePostgres(
  section: Section,
  files: ConfigFiles,
  findings: Finding[],
): Promise<PostgresConfig> {
  const tools = { files, findings };
  const { rules, findings: ruleFindings } = readColumnRules(section, ['postgres']);
  findings.push(...ruleFindings, ...repeatedNames(section));
  const upstream = await resolveUpstream(section.upstream, ['postgres', 'upstream'], tools);
  const { databases, routes } = await resolveDatabases(section, upstream, tools);
  findings.push(...targetFindings(section, upstream, databases.length > 0));
  const { authentication, replication } = section;
  return {
    listen: await resolvePostgresListen(section.listen, tools),
    upstream,
    routes,
    authentication,
    users: await resolveUsers(section, tools),
    verifiers: await resolveVerifiers(section, upstream, tools),
    replication,
    databases,
    columns: rules,
  };
}

async function resolveDatabases(
  section: Section,
  upstream: PostgresServerConfig,
  tools: Tools,
): Promise<Pick<PostgresConfig, 'databases' | 'routes'>> {
  const databases = [];
  const routes = [];
  for (const [index, { name, upstream: own, service, allowRoutines, catalog }] of section.databases.entries()) {
    const at = ['postgres', 'databases', index];
    const server = own === undefined ? upstream : await resolveUpstream(own, [...at, 'upstream'], tools);
    if (own !== undefined) routes.push({ database: name, upstream: server });
    if (service !== undefined)
      databases.push({
        name,
        allowRoutines,
        catalog,
        service: await resolveService({ name, service }, server, [...at, 'service'], tools),
      });
    else if (own === undefined) {
      const message = 'expected `service` (for column rules), or `upstream` (for a database on another server)';
      tools.findings.push({ code: 'ERR_CONFIG_MISSING', path: at, at: 'value', message });
    } else if (server.target !== 'any') tools.findings.push(needsService([...at, 'upstream', 'url']));
  }
  return { databases, routes };
}

/** Somebody has to ask the servers what they are before a client, whose password is its own, is sent to one. */
function targetFindings(section: Section, { target }: PostgresServerConfig, hasService: boolean): readonly Finding[] {
  if (target === 'any' || hasService || section.verifiers !== undefined) return [];
  return [needsService(['postgres', 'upstream', 'url'])];
}

function needsService(path: ConfigPath): Finding {
  const message =
    '`target_session_attrs` needs a connection of Sealgate itself, which asks the servers what they are: `databases[].service`, or `verifiers`';
  return { code: 'ERR_CONFIG_CONTRADICTION', path, at: 'value', message };
}

function repeatedNames(section: Section): readonly Finding[] {
  const findings: Finding[] = [];
  for (const list of ['databases', 'users'] as const) {
    const names = section[list].map(({ name }) => name);
    for (const [index, name] of names.entries()) {
      const first = names.indexOf(name);
      const place = (at: number): ConfigPath => ['postgres', list, at, 'name'];
      if (first < index)
        findings.push({
          code: 'ERR_CONFIG_CONTRADICTION',
          path: place(index),
          other: place(first),
          at: 'value',
          message: 'the same name a second time',
        });
    }
  }
  return findings;
}
