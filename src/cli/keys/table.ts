/** The `keys` commands, in the order that help lists them. */
import type { Command } from '../command.ts';
import {
  keysAliasCreateCommand,
  keysAliasDeleteCommand,
  keysAliasListCommand,
  keysAliasUpdateCommand,
} from './alias.ts';
import { keysBackupCommand } from './backup.ts';
import { keysCompromiseCommand } from './compromise.ts';
import { keysCreateCommand } from './create.ts';
import { keysDeactivateCommand } from './deactivate.ts';
import { keysDescribeCommand } from './describe.ts';
import { keysDisableCommand } from './disable.ts';
import { keysEnableCommand } from './enable.ts';
import { keysExplainAccessCommand } from './explain-access.ts';
import { keysInitCommand } from './init.ts';
import { keysListCommand } from './list.ts';
import { keysReactivateCommand } from './reactivate.ts';
import { keysReportCommand } from './report.ts';
import { keysRestoreCommand } from './restore.ts';
import { keysRotateCommand } from './rotate.ts';
import { keysSuspendCommand } from './suspend.ts';
import { keysVerifyBackupCommand } from './verify-backup.ts';

export const keyCommands: readonly Command[] = [
  keysInitCommand,
  keysCreateCommand,
  keysListCommand,
  keysDescribeCommand,
  keysReportCommand,
  keysRotateCommand,
  keysEnableCommand,
  keysDisableCommand,
  keysSuspendCommand,
  keysReactivateCommand,
  keysDeactivateCommand,
  keysCompromiseCommand,
  keysExplainAccessCommand,
  keysAliasCreateCommand,
  keysAliasUpdateCommand,
  keysAliasDeleteCommand,
  keysAliasListCommand,
  keysBackupCommand,
  keysVerifyBackupCommand,
  keysRestoreCommand,
];
