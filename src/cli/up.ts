/** `sealgate up`: runs what the config names, until SIGINT or SIGTERM. */
import { once } from 'node:events';
import { CONFIG_OPTION, defineCommand, EXIT, type Command } from './command.ts';
import { CliError } from './errors.ts';
import { loadCommandConfig } from './load.ts';
import type { RunningListener, Start } from './start.ts';

const DRAIN_SECONDS = 30;

export function upCommand(start: Start): Command {
  return defineCommand({
    name: 'up',
    summary: 'run what the config names, until SIGINT or SIGTERM',
    usage: 'up [--config <file>] [--drain <seconds>]',
    example: 'sealgate up --config /etc/sealgate/sealgate.yaml',
    details:
      'Prints one line per listener on stdout once it accepts connections; logs go to stderr as JSON lines.\nOn SIGINT or SIGTERM it takes no new work, lets what is under way finish, and exits 0. A second signal ends it at once.',
    options: {
      ...CONFIG_OPTION,
      drain: {
        type: 'string',
        placeholder: 'seconds',
        help: `how long work under way may take to finish at the end (default: ${DRAIN_SECONDS})`,
      },
      'accept-rollback': {
        type: 'boolean',
        help: 'open a key store that is older than its epoch counter (a restored backup), once',
      },
      'accept-audit-gap': {
        type: 'boolean',
        help: 'go on with an audit trail whose end is missing; the gap stays visible in it',
      },
    },
    run: async ({ values }, io) => {
      const drainMs = parseSeconds(values.drain) * 1000;
      const config = await loadCommandConfig(values.config, io);
      const { createLog } = await import('../observe/log.ts');
      const { Metrics } = await import('../observe/metrics.ts');
      const log = createLog({ level: config.observe.log.level }, io.stderr);
      const metrics = new Metrics({ process: true });
      const accept = {
        acceptRollback: values['accept-rollback'] === true,
        acceptAuditGap: values['accept-audit-gap'] === true,
      };
      const running = await start(config, { log, metrics, accept });
      for (const listener of running.listeners) io.stdout.write(`${describeListener(listener)}\n`);
      if (!io.signal.aborted) await once(io.signal, 'abort');
      log.info({ drainMs }, 'stopping');
      const whole = await running.stop(drainMs);
      log.info({ whole }, 'stopped');
      return EXIT.ok;
    },
  });
}

function parseSeconds(text: string | undefined): number {
  if (text === undefined) return DRAIN_SECONDS;
  if (!/^\d{1,5}$/u.test(text)) throw new CliError('ERR_CLI_USAGE', 'up: `--drain` expects whole seconds');
  return Number(text);
}

/** `s3        http://127.0.0.1:9000` */
export function describeListener({ name, host, port, tls }: RunningListener): string {
  const scheme = name === 'postgres' ? 'postgres' : tls ? 'https' : 'http';
  const shown = host.includes(':') ? `[${host}]` : host;
  const options = name === 'postgres' && tls ? '?sslmode=require' : '';
  const path = name === 'postgres' ? '/' : '';
  return `${name.padEnd(9)} ${scheme}://${shown}:${port}${path}${options}`;
}
