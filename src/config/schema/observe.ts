/** Section `observe`: logs, metrics and health. */
import { z } from 'zod';
import { plainListen } from './common.ts';

export const observeSchema = z
  .strictObject({
    listen: plainListen
      .optional()
      .describe('Where /metrics, /healthz and /readyz are served. Without it they are not.'),
    log: z
      .strictObject({
        level: z
          .enum(['debug', 'info', 'warn', 'error', 'silent'])
          .default('info')
          .describe('Least weight that is logged. Logs are JSON lines on stderr.'),
      })
      .prefault({})
      .describe('Logs.'),
  })
  .describe('Logs, metrics and health.');
