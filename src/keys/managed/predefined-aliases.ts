/** Aliases of our services' keys are listed from the start, as AWS lists its own: without a key until there is one. */
import { aliasArn } from '../arn.ts';
import type { AliasDescription } from '../admin/key-admin.ts';
import type { KeyRing } from '../key-ring.ts';
import { PREDEFINED_ALIASES } from './management.ts';

/** Sorted by name, as `made` is. */
export function withUnmadeAliases(ring: KeyRing, made: readonly AliasDescription[]): readonly AliasDescription[] {
  const unmade = PREDEFINED_ALIASES.filter((aliasName) => !ring.hasAlias(aliasName)).map(
    (aliasName): AliasDescription => ({
      ...{ aliasName, aliasArn: aliasArn(ring.realm, aliasName) },
      ...{ targetKeyId: undefined, createdAt: undefined, updatedAt: undefined },
    }),
  );
  if (unmade.length === 0) return made;
  return [...made, ...unmade].sort((a, b) => (a.aliasName < b.aliasName ? -1 : 1));
}
