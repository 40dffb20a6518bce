/** From the file's form to the rooms': paths made absolute, files read, rules compiled. Each section gathers its findings. */
import type { Config, KeysConfig, UnsealConfig } from '../config.ts';
import type { ConfigFiles } from '../files.ts';
import { keyPathFindings } from '../key-paths.ts';
import { listenPlaceFindings } from '../listen-places.ts';
import { managedKeyFindings } from '../managed-key-findings.ts';
import type { Finding } from '../problem.ts';
import { resolveAccess, type CheckPolicy } from './access.ts';
import { resolveAudit } from './audit.ts';
import { identityClientFindings } from './identity-clients.ts';
import { resolveKeyLife, type CheckLifeRule } from './key-life.ts';
import { resolveKms } from './kms.ts';
import { resolvePostgres } from './postgres.ts';
import { resolveRemoteKeys } from './remote-keys.ts';
import { resolveS3 } from './s3.ts';
import type { ConfigFile } from '../schema.ts';
import { Secret } from '../secret.ts';

type FileSection<Name extends keyof ConfigFile> = NonNullable<ConfigFile[Name]>;

export async function resolveConfig(
  file: ConfigFile,
  configPath: string,
  files: ConfigFiles,
  { checkPolicy, checkLifeRule }: { readonly checkPolicy: CheckPolicy; readonly checkLifeRule: CheckLifeRule },
): Promise<{ config: Config; findings: readonly Finding[] }> {
  const findings: Finding[] = [];
  const access = await resolveAccess(file.keys.access, file.keys.account, { files, checkPolicy, findings });
  const audit = await resolveAudit(file.keys.audit, files, findings);
  const remote = await resolveRemoteKeys(file, files, findings);
  const life = resolveKeyLife(file.keys.life, checkLifeRule, findings);
  const keys = resolveKeys(file.keys, { access, audit, life, remote }, files);
  findings.push(...keyPathFindings(keys, configPath), ...identityClientFindings(file), ...managedKeyFindings(file));
  findings.push(...socketFindings(file), ...listenPlaceFindings(file));
  const config: Config = {
    file: configPath,
    keys,
    kms: file.kms === undefined ? undefined : await resolveKms(file.kms, file.keys.account, files, findings),
    s3: file.s3 === undefined ? undefined : await resolveS3(file.s3, files, findings),
    postgres: file.postgres === undefined ? undefined : await resolvePostgres(file.postgres, files, findings),
    observe: { listen: file.observe.listen, log: file.observe.log },
    workers: file.workers,
  };
  return { config, findings: [...findings, ...files.findings] };
}

/** Processes share a port through the system, which knows no such thing for Unix sockets. */
function socketFindings({ postgres, workers }: ConfigFile): readonly Finding[] {
  if (postgres?.listen.socket === undefined || workers === 1) return [];
  const message = 'a Unix socket is served by one process: use `workers: 1`, or TCP alone';
  const path = ['postgres', 'listen', 'socket'];
  return [{ code: 'ERR_CONFIG_CONTRADICTION', path, other: ['workers'], at: 'value', message }];
}

function resolveKeys(
  keys: FileSection<'keys'>,
  { access, audit, life, remote }: Pick<KeysConfig, 'access' | 'audit' | 'life' | 'remote'>,
  files: ConfigFiles,
): KeysConfig {
  const { region, otherRegions, account, cache } = keys;
  return {
    store: files.absolute(keys.store),
    epochFile: keys.epochFile === undefined ? undefined : files.absolute(keys.epochFile),
    region,
    otherRegions,
    account,
    cache,
    unseal: keys.unseal.map((slot): UnsealConfig => {
      if (slot.type === 'keyFile') return { type: 'keyFile', path: files.absolute(slot.path) };
      // The schema has made sure of exactly one of the two.
      if (slot.passphraseFile !== undefined)
        return { type: 'passphraseFile', path: files.absolute(slot.passphraseFile) };
      return { type: 'passphrase', passphrase: new Secret(slot.passphrase ?? '') };
    }),
    audit,
    life,
    alarm: { decryptionsPerMinute: keys.alarm.decryptionsPerMinute },
    access,
    remote,
  };
}
