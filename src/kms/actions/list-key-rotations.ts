/** ListKeyRotations: the materials a key got by rotation, or all of them, oldest first. */
import { defineAction } from '../action.ts';
import { HEX_NAMES, PAGE_INPUT, pageOutput, pageRequest } from '../paging.ts';
import { importOutput } from '../imports.ts';
import { oneOf, optional, required, struct } from '../shapes/shapes.ts';
import { KEY_ID } from './inputs.ts';

const input = struct({
  KeyId: required(KEY_ID),
  IncludeKeyMaterial: optional(oneOf('ALL_KEY_MATERIAL', 'ROTATIONS_ONLY')),
  ...PAGE_INPUT,
});

const STATES = {
  current: 'CURRENT',
  'non-current': 'NON_CURRENT',
  'pending-rotation': 'PENDING_ROTATION',
  'pending-import-and-rotation': 'PENDING_MULTI_REGION_IMPORT_AND_ROTATION',
} as const;
const TYPES = { automatic: 'AUTOMATIC', 'on-demand': 'ON_DEMAND' } as const;

export const listKeyRotations = defineAction('ListKeyRotations', input, async (request, { keys, use }) => {
  const asked = pageRequest('rotations', request, { usual: 100, most: 1000, names: HEX_NAMES });
  const all = request.IncludeKeyMaterial === 'ALL_KEY_MATERIAL';
  const { keyId, ...page } = await keys.lifecycle.rotations({ ...asked, keyId: request.KeyId, all }, use);
  return {
    Rotations: page.items.map(({ materialId, state, rotatedAt, type, imported }) => ({
      KeyId: keyId,
      KeyMaterialId: materialId,
      KeyMaterialState: STATES[state],
      ...importOutput(imported),
      RotationDate: rotatedAt === undefined ? undefined : new Date(rotatedAt),
      RotationType: type === undefined ? undefined : TYPES[type],
    })),
    ...pageOutput('rotations', page, ({ materialId }) => materialId),
  };
});
