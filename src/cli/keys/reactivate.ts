/** `sealgate keys reactivate` */
import { defineCommand } from '../command.ts';
import { changeMaterial, MATERIAL_OPTIONS } from './material-change.ts';

export const keysReactivateCommand = defineCommand({
  name: 'keys reactivate',
  summary: 'take a suspended material back into use',
  usage: 'keys reactivate <key> --reason <text> [--material <id or version>]',
  example: 'sealgate keys reactivate alias/objects --reason "incident 4711: nothing leaked"',
  details: 'Only from suspended: nothing comes back from deactivated or compromised.',
  options: MATERIAL_OPTIONS,
  positionals: { min: 1, max: 1 },
  run: (args, io) =>
    changeMaterial('keys reactivate', args, io, (keys, change, use) => keys.materials.reactivate(change, use)),
});
