/** The commands of the group `postgres`. */
import type { Command } from '../command.ts';
import { postgresExplainCommand } from './explain.ts';

export const postgresCommands: readonly Command[] = [postgresExplainCommand];
