/** The table of commands. What a command needs for its work it imports when it runs, so `--help` is quick. */
import { auditVerifyCommand } from './audit/verify.ts';
import { checkCommand } from './check.ts';
import type { Command } from './command.ts';
import { demoCommand } from './demo.ts';
import { initCommand } from './init.ts';
import { keyCommands } from './keys/table.ts';
import { openCommands } from './open.ts';
import type { Start } from './start.ts';
import { postgresCommands } from './postgres/table.ts';
import { s3ExplainAccessCommand } from './s3/explain-access.ts';
import { upCommand } from './up.ts';

export function commands(start: Start): readonly Command[] {
  return [
    demoCommand(start),
    initCommand,
    checkCommand,
    upCommand(start),
    ...keyCommands,
    auditVerifyCommand,
    s3ExplainAccessCommand,
    ...postgresCommands,
    ...openCommands,
  ];
}
