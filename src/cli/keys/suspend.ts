/** `sealgate keys suspend` */
import { defineCommand } from '../command.ts';
import { changeMaterial, MATERIAL_OPTIONS } from './material-change.ts';

export const keysSuspendCommand = defineCommand({
  name: 'keys suspend',
  summary: 'hold back a material, reversibly: it protects and opens nothing until it is reactivated',
  usage: 'keys suspend <key> --reason <text> [--material <id or version>]',
  example: 'sealgate keys suspend alias/objects --reason "incident 4711: looked into"',
  details:
    'For while it is looked into whether it leaked. A key whose current material is suspended counts as disabled.',
  options: MATERIAL_OPTIONS,
  positionals: { min: 1, max: 1 },
  run: (args, io) =>
    changeMaterial('keys suspend', args, io, (keys, change, use) => keys.materials.suspend(change, use)),
});
