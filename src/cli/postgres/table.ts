/** The commands of the group `postgres`. */
import type { Command } from '../command.ts';
import { postgresExplainCommand } from './explain.ts';
import { postgresSealCommand } from './seal.ts';
import { postgresUnsealCommand } from './unseal.ts';

export const postgresCommands: readonly Command[] = [
  postgresExplainCommand,
  postgresSealCommand,
  postgresUnsealCommand,
];
