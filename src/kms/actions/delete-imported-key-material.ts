/** DeleteImportedKeyMaterial: until the same material is imported again, the key is of no use. */
import { defineAction } from '../action.ts';
import { KEY_MATERIAL_ID } from '../imports.ts';
import { optional, required, struct } from '../shapes/shapes.ts';
import { KEY_ID } from './inputs.ts';

const input = struct({ KeyId: required(KEY_ID), KeyMaterialId: optional(KEY_MATERIAL_ID) });

export const deleteImportedKeyMaterial = defineAction(
  'DeleteImportedKeyMaterial',
  input,
  async ({ KeyId: keyId, KeyMaterialId: materialId }, { keys, use }) => {
    const deleted = await keys.imports.deleteMaterial({ keyId, materialId }, use);
    return { KeyId: deleted.keyArn, KeyMaterialId: deleted.materialId };
  },
);
