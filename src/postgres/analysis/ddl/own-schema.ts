/** Schema `sealgate` and the shadows belong to the proxy: no schema change of a client names what is in them. */
import { SEALGATE_SCHEMA } from '../../service/names.ts';
import { SHADOW_PREFIX } from '../catalog/shadow-names.ts';
import { kindOf, type Node } from '../text/syntax.ts';
import { refuseDdl } from './errors.ts';

/** Kinds of statements whose lists of names are those of what they change. Types of columns are judged where they are defined. */
const KINDS: ReadonlySet<string> = new Set([
  'AlterDefaultPrivilegesStmt',
  'AlterDomainStmt',
  'AlterEnumStmt',
  'AlterExtensionContentsStmt',
  'AlterObjectDependsStmt',
  'AlterObjectSchemaStmt',
  'AlterOwnerStmt',
  'AlterPublicationStmt',
  'AlterTypeStmt',
  'CompositeTypeStmt',
  'CreateCastStmt',
  'CreateDomainStmt',
  'CreateEnumStmt',
  'CreateFunctionStmt',
  'CreatePublicationStmt',
  'CreateRangeStmt',
  'CreateSchemaStmt',
  'DefineStmt',
  'DropStmt',
  'GrantStmt',
  'ReassignOwnedStmt',
  'RenameStmt',
]);

export function refuseOwnSchema(node: Node): void {
  if (KINDS.has(kindOf(node)) && namesOwnSchema(node))
    throw refuseDdl(
      `schema ${SEALGATE_SCHEMA} belongs to the proxy`,
      -1,
      'Change it directly on the server; without it no sealed value can be opened.',
    );
}

function namesOwnSchema(part: unknown): boolean {
  if (typeof part === 'string') return part === SEALGATE_SCHEMA || part.startsWith(SHADOW_PREFIX);
  if (Array.isArray(part)) return part.some(namesOwnSchema);
  return (
    typeof part === 'object' &&
    part !== null &&
    Object.entries(part).some(([key, value]) => isName(key) && namesOwnSchema(value))
  );
}

/** Not the roles that rights are given to, and not constants. */
function isName(key: string): boolean {
  return key !== 'grantees' && key !== 'A_Const' && key !== 'RoleSpec' && key !== 'comment';
}
