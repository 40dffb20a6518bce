/** Material imported into a key of a key manager, as its owner does it. */
import type { KeyUse } from '../../../src/keys/uses/data-keys.ts';
import type { ImportRequest } from '../../../src/keys/import/key-import.ts';
import type { RegionKeys } from '../../../src/keys/regions/region-keys.ts';
import { wrapByNode, type WrappingAlgorithm } from './wrap-material.ts';

/** What ImportKeyMaterial is asked with: material that never expires, unless told. */
export async function importRequest(
  manager: RegionKeys,
  keyId: string,
  material: Uint8Array,
  use: KeyUse,
  more: Partial<ImportRequest> = {},
  algorithm: WrappingAlgorithm = 'RSA_AES_KEY_WRAP_SHA_256',
): Promise<ImportRequest> {
  const { token, publicKey } = await manager.imports.parameters({ keyId, algorithm, wrappingSpec: 'RSA_2048' }, use);
  return { keyId, token, wrapped: wrapByNode(algorithm, publicKey, material), validTo: undefined, ...more };
}

/** The material's id. */
export async function importMaterial(
  manager: RegionKeys,
  keyId: string,
  material: Uint8Array,
  use: KeyUse,
  more: Partial<ImportRequest> = {},
): Promise<string> {
  const request = await importRequest(manager, keyId, material, use, more);
  return (await manager.imports.importMaterial(request, use)).materialId;
}
