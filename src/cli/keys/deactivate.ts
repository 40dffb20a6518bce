/** `sealgate keys deactivate` */
import { defineCommand } from '../command.ts';
import { changeMaterial, MATERIAL_OPTIONS } from './material-change.ts';

export const keysDeactivateCommand = defineCommand({
  name: 'keys deactivate',
  summary: 'end what a material protects, for ever; it goes on opening',
  usage: 'keys deactivate <key> --reason <text> [--material <id or version>]',
  example: 'sealgate keys deactivate alias/objects --reason "the project has ended"',
  details:
    'Rotation does this by itself with the material it replaces. A key whose current material is deactivated opens, and wraps nothing until it is rotated.',
  options: MATERIAL_OPTIONS,
  positionals: { min: 1, max: 1 },
  run: (args, io) =>
    changeMaterial('keys deactivate', args, io, (keys, change, use) => keys.materials.deactivate(change, use)),
});
