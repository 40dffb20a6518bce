/** The listeners that serve data, from the config: in the one process there is, or in each worker. A room is loaded only where the config has it. */
import type { Config } from '../config/config.ts';
import type { Part } from './lifecycle.ts';
import type { GatewayDeps, StartedPart } from './s3.ts';

/** `parts`: gets what was started, also where something after it fails. */
export async function startDataListeners(
  config: Config,
  deps: GatewayDeps,
  parts: Part[],
): Promise<readonly StartedPart[]> {
  const started: StartedPart[] = [];
  const keep = (one: StartedPart): void => {
    started.push(one);
    parts.push(one.part);
  };
  if (config.s3 !== undefined) {
    const { startGateway } = await import('./s3.ts');
    keep(await startGateway(config.s3, config, deps));
  }
  if (config.postgres !== undefined) {
    const { startProxy } = await import('./postgres.ts');
    keep(await startProxy(config.postgres, config.keys.account, deps));
  }
  return started;
}
