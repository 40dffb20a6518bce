/** ImportKeyMaterial: material that came wrapped; done when it is durable and tried. */
import { defineAction } from '../action.ts';
import { EXPIRATION_MODEL, KEY_MATERIAL_ID, SEALED } from '../imports.ts';
import { oneOf, optional, patterned, required, struct, timestamp } from '../shapes/shapes.ts';
import { invalid, KEY_ID } from './inputs.ts';

const input = struct({
  KeyId: required(KEY_ID),
  ImportToken: required(SEALED),
  EncryptedKeyMaterial: required(SEALED),
  ValidTo: optional(timestamp),
  ExpirationModel: optional(EXPIRATION_MODEL),
  ImportType: optional(oneOf('NEW_KEY_MATERIAL', 'EXISTING_KEY_MATERIAL')),
  KeyMaterialDescription: optional(patterned(0, 256, String.raw`^[a-zA-Z0-9:/_\s.-]+$`)),
  KeyMaterialId: optional(KEY_MATERIAL_ID),
});

const TYPES = { NEW_KEY_MATERIAL: 'new', EXISTING_KEY_MATERIAL: 'existing' } as const;

export const importKeyMaterial = defineAction('ImportKeyMaterial', input, async (request, { keys, use }) => {
  const { ImportType: type } = request;
  const { keyArn, materialId } = await keys.imports.importMaterial(
    {
      keyId: request.KeyId,
      token: request.ImportToken,
      wrapped: request.EncryptedKeyMaterial,
      validTo: endAsked(request),
      type: type === undefined ? undefined : TYPES[type],
      description: request.KeyMaterialDescription,
      materialId: request.KeyMaterialId,
    },
    use,
  );
  return { KeyId: keyArn, KeyMaterialId: materialId };
});

/** In milliseconds since 1970; undefined: never. ERR_KMS_VALIDATION. */
function endAsked({
  ValidTo: validTo,
  ExpirationModel: model = 'KEY_MATERIAL_EXPIRES',
}: {
  readonly ValidTo: number | undefined;
  readonly ExpirationModel: 'KEY_MATERIAL_EXPIRES' | 'KEY_MATERIAL_DOES_NOT_EXPIRE' | undefined;
}): number | undefined {
  if (model === 'KEY_MATERIAL_DOES_NOT_EXPIRE') {
    if (validTo === undefined) return undefined;
    throw invalid('A validTo date must not be set if the ExpirationModel is KEY_MATERIAL_DOES_NOT_EXPIRE');
  }
  if (validTo !== undefined) return validTo * 1000;
  throw invalid('A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES');
}
