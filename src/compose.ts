/**
 * The composition root: from a config to running listeners, and their end in the opposite order. The only place that knows all rooms.
 *
 * Start: key manager, health (not ready yet), the listeners. End: not ready, the listeners drain side by side, health, keys: every
 * audit record of the last request is written before the store closes; audit sinks last, which get those records too.
 */
import { keyManagerOptions, keyPorts } from './cli/options/keys.ts';
import { remotePorts } from './cli/options/remote-keys.ts';
import { CliError } from './cli/errors.ts';
import type { Running, StartOptions } from './cli/start.ts';
import type { Config } from './config/config.ts';
import { AuditSinks } from './compose/audit-sinks.ts';
import { Health } from './compose/health.ts';
import { startKeySchedule } from './compose/key-schedule.ts';
import type { KmsDeps } from './compose/kms.ts';
import { Lifecycle } from './compose/lifecycle.ts';
import type { GatewayDeps, StartedPart } from './compose/s3.ts';
import { openKeyManager } from './keys/key-manager.ts';
import type { KeyMetrics } from './keys/options.ts';
import type { Log } from './observe/log.ts';
import type { Metrics } from './observe/metrics.ts';

/** Resolves when every listener accepts; where it rejects, everything that was started has been stopped. */
export async function start(config: Config, { log, metrics, accept = {} }: StartOptions): Promise<Running> {
  const { kms, s3, postgres, observe } = config;
  if (kms === undefined && s3 === undefined && postgres === undefined && observe.listen === undefined) {
    throw new CliError('ERR_CLI_NOTHING_TO_RUN', `${config.file} names no listener`);
  }
  const lifecycle = new Lifecycle(log);
  try {
    metrics.decryptions.raise({
      perMinute: config.keys.alarm.decryptionsPerMinute,
      raised: (alarm) => log.warn(alarm, 'a caller decrypts more with a key than keys.alarm allows'),
    });
    const sinks = new AuditSinks(config.keys.audit, log, metrics);
    lifecycle.add(sinks.part);
    const ports = { ...keyPorts(keyMetrics(metrics, log)), ...(await remotePorts(config.keys)) };
    const keys = await openKeyManager(keyManagerOptions(config.keys, accept), ports);
    lifecycle.add({ name: 'keys', stop: () => keys.close() });
    sinks.start(keys.auditFeed);
    lifecycle.add(startKeySchedule((allow) => keys.runDue(allow), log));
    const health = new Health(metrics, () => keys.ready());
    if (config.observe.listen !== undefined) lifecycle.add(await health.listen(config.observe.listen));
    const listeners = await startListeners(config, { dataKeys: keys, keys, log, metrics }, lifecycle);
    health.started(listeners.flatMap(({ checks }) => checks));
    for (const { listener } of listeners) log.info(listener, 'listening');
    return {
      listeners: [...listeners.map(({ listener }) => listener), ...health.listeners],
      stop: (deadlineMs) => {
        health.stopping();
        return lifecycle.stop(deadlineMs);
      },
    };
  } catch (error) {
    await lifecycle.stop(0);
    throw error;
  }
}

/** The listeners are one stage: they drain side by side. A room is loaded only where the config has it. */
async function startListeners(
  config: Config,
  deps: GatewayDeps & KmsDeps,
  lifecycle: Lifecycle,
): Promise<readonly StartedPart[]> {
  const started: StartedPart[] = [];
  try {
    if (config.kms !== undefined) {
      const { startKms } = await import('./compose/kms.ts');
      started.push(await startKms(config.kms, config.keys, deps));
    }
    if (config.s3 !== undefined) {
      const { startGateway } = await import('./compose/s3.ts');
      started.push(await startGateway(config.s3, config, deps));
    }
    if (config.postgres !== undefined) {
      const { startProxy } = await import('./compose/postgres.ts');
      started.push(await startProxy(config.postgres, config.keys.account, deps));
    }
    return started;
  } finally {
    lifecycle.add(...started.map(({ part }) => part));
  }
}

const LIFE_TEXTS = {
  used: 'a key was used beyond its life; see docs/KEY-LIFE.md',
  refused: 'a key refused what is beyond its life; see docs/KEY-LIFE.md',
} as const;

function keyMetrics(metrics: Metrics, log: Log): KeyMetrics {
  return {
    cacheHit: () => {
      metrics.dekCache('hit');
    },
    cacheMiss: () => {
      metrics.dekCache('miss');
    },
    keyUse: (action, result) => {
      metrics.keyUse(action, result);
    },
    decrypted: (principal, keyArn) => {
      metrics.decryptions.note(principal, keyArn);
    },
    keyLife: ({ reason, outcome, keyArn, material, facts }) => {
      metrics.keyLife(reason, outcome);
      log.warn({ key: keyArn, material, reason, outcome, ...facts }, LIFE_TEXTS[outcome]);
    },
  };
}
