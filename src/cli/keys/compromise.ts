/** `sealgate keys compromise` */
import { defineCommand } from '../command.ts';
import { changeMaterial, MATERIAL_OPTIONS } from './material-change.ts';

export const keysCompromiseCommand = defineCommand({
  name: 'keys compromise',
  summary: 'mark a material as compromised, for ever: it protects and opens nothing any more',
  usage: 'keys compromise <key> --reason <text> [--material <id or version>] [--still-opens]',
  example: 'sealgate keys compromise alias/objects --reason "incident 4711: the host was taken over"',
  details: `A key whose current material is compromised counts as disabled; \`keys rotate\` gives it a new one. What the compromised one wrapped stays shut\nunless you take that risk: with --still-opens it can be read, to be written anew. Run it again, with or without, to change that alone.`,
  options: {
    ...MATERIAL_OPTIONS,
    'still-opens': {
      type: 'boolean',
      help: 'what it wrapped may still be opened (by whoever has the material as well)',
    },
  },
  positionals: { min: 1, max: 1 },
  run: (args, io) =>
    changeMaterial('keys compromise', args, io, (keys, change, use) =>
      keys.materials.markCompromised({ ...change, stillOpens: args.values['still-opens'] === true }, use),
    ),
});
