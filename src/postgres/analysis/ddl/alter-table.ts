/** ALTER TABLE of a table with sealed columns, or that comes to refer to one: one handler per subcommand. */
import type { AlterTableCmd, AlterTableStmt, ColumnDef, RangeVar } from 'libpg-query';
import type { RuledColumn } from '../catalog/rules.ts';
import { locationOf, namesOf, type Node } from '../text/syntax.ts';
import { collated, defineColumn, giveType, isNull, refusedDefault } from './column.ts';
import { checkConstraint } from './constraint.ts';
import { isDeclaredDefault } from './declared.ts';
import { DIRECTLY, refuseDdl } from './errors.ts';
import { refuseSealedIn } from './expressions.ts';
import type { DdlStatement } from './statement.ts';
import { columnOf, existingTable, isSealedColumn, type DdlTable } from './tables.ts';
import { restOfItem, wordBefore } from './text.ts';

type Handler = (ddl: DdlStatement, command: AlterTableCmd, table: DdlTable | undefined) => void;

const forward: Handler = () => undefined;

/** Subcommands that are not listed are refused. */
const HANDLERS: Readonly<Record<string, Handler>> = {
  AT_AddColumn: (ddl, { def }, table) => {
    if (def !== undefined && 'ColumnDef' in def) defineColumn(ddl, def.ColumnDef, table, 'table with rows');
  },
  AT_AlterColumnType: alterType,
  AT_ColumnDefault: alterDefault,
  AT_AddConstraint: (ddl, { def }, table) => {
    if (def !== undefined && 'Constraint' in def) checkConstraint(ddl, def.Constraint, table, undefined, 'existing');
  },
  AT_AddIdentity: refuseGenerated,
  AT_SetExpression: (_ddl, { def }, table) => refuseSealedIn(def, table, 'a generated column'),
  AT_AttachPartition: attach,
  AT_DetachPartition: part,
  AT_DetachPartitionFinalize: part,
  AT_AddInherit: inherit,
  AT_DropInherit: part,
  AT_DropColumn: forward,
  AT_DropNotNull: forward,
  AT_SetNotNull: forward,
  AT_DropExpression: forward,
  AT_SetIdentity: forward,
  AT_DropIdentity: forward,
  AT_SetStatistics: forward,
  AT_SetOptions: forward,
  AT_ResetOptions: forward,
  AT_SetStorage: forward,
  AT_SetCompression: forward,
  AT_AlterConstraint: forward,
  AT_ValidateConstraint: forward,
  AT_DropConstraint: forward,
  AT_ChangeOwner: forward,
  AT_ClusterOn: forward,
  AT_DropCluster: forward,
  AT_SetLogged: forward,
  AT_SetUnLogged: forward,
  AT_SetAccessMethod: forward,
  AT_SetTableSpace: forward,
  AT_SetRelOptions: forward,
  AT_ResetRelOptions: forward,
  AT_ReplicaIdentity: forward,
  AT_EnableTrig: forward,
  AT_EnableAlwaysTrig: forward,
  AT_EnableReplicaTrig: forward,
  AT_DisableTrig: forward,
  AT_EnableTrigAll: forward,
  AT_DisableTrigAll: forward,
  AT_EnableTrigUser: forward,
  AT_DisableTrigUser: forward,
  AT_EnableRowSecurity: forward,
  AT_DisableRowSecurity: forward,
  AT_ForceRowSecurity: forward,
  AT_NoForceRowSecurity: forward,
};

export function alterTable(ddl: DdlStatement, { relation, cmds = [] }: AlterTableStmt): void {
  if (relation === undefined) return;
  const table = existingTable(relation, ddl.context);
  ddl.qualify(relation, table);
  for (const node of cmds) {
    if (!('AlterTableCmd' in node)) continue;
    const { AlterTableCmd: command } = node;
    const handler = HANDLERS[command.subtype ?? ''];
    if (handler === undefined && table === undefined) continue;
    if (handler === undefined)
      throw refuseDdl(
        'this form of ALTER TABLE is not supported on tables with sealed columns',
        locationOf(relation),
        DIRECTLY,
      );
    handler(ddl, command, table);
    if (table === undefined && (handler === attach || handler === inherit)) ddl.makes(relation);
  }
}

/** The rule already says the new type; the server keeps the guard's. */
function alterType(ddl: DdlStatement, { name = '', def }: AlterTableCmd, table: DdlTable | undefined): void {
  if (def === undefined || !('ColumnDef' in def)) return;
  const { ColumnDef: definition } = def;
  const { typeName, collClause, raw_default: using } = definition;
  if (table === undefined || !isSealedColumn(table, name)) return refuseSealedIn(using, table, 'USING');
  const column = columnOf(table, name);
  const location = typeName === undefined ? locationOf(definition) : locationOf(typeName);
  const rule = table.rules.get(name);
  if (rule === undefined || typeName === undefined || holdsPlain(table, name))
    throw refuseDdl(
      `the type of ${column} cannot be changed here: ${rule === undefined ? 'no rule names it' : 'it is not sealed yet'}`,
      location,
      DIRECTLY,
    );
  if (collClause !== undefined) throw collated(column, locationOf(collClause));
  if (using !== undefined && !isSelf(using, name))
    throw refuseDdl(
      `USING would compute values of sealed column ${column} in the server`,
      location,
      'Leave USING out, or UPDATE the values through the proxy.',
    );
  retype(ddl, definition, typeName, rule);
}

function retype(
  ddl: DdlStatement,
  definition: ColumnDef,
  type: NonNullable<ColumnDef['typeName']>,
  rule: RuledColumn,
): void {
  giveType(ddl, type, rule);
  if (definition.raw_default === undefined) return;
  const word = wordBefore(ddl.source, startOf(definition.raw_default), 'using');
  if (word === undefined) throw refuseDdl('USING was not found in the statement', locationOf(type), DIRECTLY);
  ddl.replace(restOfItem(ddl.source, word, ddl.span.end), ' ');
}

/** A column that is there and has not the type its rule asks for. */
function holdsPlain({ relation }: DdlTable, name: string): boolean {
  const column = relation?.columns.find((candidate) => candidate.name === name);
  return column !== undefined && column.sealed === undefined;
}

/** The column itself, cast or not. */
function isSelf(node: Node, column: string): boolean {
  if ('TypeCast' in node) return node.TypeCast.arg !== undefined && isSelf(node.TypeCast.arg, column);
  return 'ColumnRef' in node && namesOf(node.ColumnRef.fields).at(-1) === column;
}

function startOf(node: Node): number {
  if ('TypeCast' in node && node.TypeCast.arg !== undefined) return startOf(node.TypeCast.arg);
  return 'ColumnRef' in node ? locationOf(node.ColumnRef) : 0;
}

/** SET DEFAULT NULL, and of what the proxy applies, become DROP DEFAULT: of a domain the server keeps even NULL as a default. */
function alterDefault(ddl: DdlStatement, { name = '', def }: AlterTableCmd, table: DdlTable | undefined): void {
  if (def === undefined) return;
  refuseSealedIn(def, table, 'a default');
  // What a view's column is in the table under it is not said here.
  const isOfView = table?.relation?.kind === 'v' && table.relation.hot && !isNull(def);
  if (table === undefined || !(isOfView || isSealedColumn(table, name))) return;
  const location = constantLocation(def);
  const word = wordBefore(ddl.source, location, 'set');
  const rule = table.rules.get(name);
  const isApplied = rule !== undefined && isDeclaredDefault(def, rule);
  if ((!isNull(def) && !isApplied) || word === undefined) throw refusedDefault(columnOf(table, name), location);
  ddl.replace(restOfItem(ddl.source, word, ddl.span.end), 'DROP DEFAULT');
}

function constantLocation(node: Node): number {
  if ('TypeCast' in node && node.TypeCast.arg !== undefined) return constantLocation(node.TypeCast.arg);
  const [part] = Object.values(node) as readonly { readonly location?: number }[]; // each node holds its fields under its kind
  return part?.location ?? -1;
}

function refuseGenerated(_ddl: DdlStatement, { name = '' }: AlterTableCmd, table: DdlTable | undefined): void {
  if (table === undefined || !isSealedColumn(table, name)) return;
  throw refuseDdl(
    `sealed column ${columnOf(table, name)} cannot be generated by the server`,
    -1,
    'Give its value in INSERT.',
  );
}

/** A partition holds the values of its parent's columns, under the parent's identity: one with rules of its own holds others. */
function attach(ddl: DdlStatement, { def }: AlterTableCmd, table: DdlTable | undefined): void {
  const name = otherTable(def);
  if (name !== undefined) joinTables(name, { parent: table, child: namedTable(ddl, name) });
}

function inherit(ddl: DdlStatement, { def }: AlterTableCmd, table: DdlTable | undefined): void {
  const name = otherTable(def);
  if (name !== undefined) joinTables(name, { parent: namedTable(ddl, name), child: table });
}

/** What was a partition or child stays sealed by its type, and is refused until it is one again or has a rule. */
function part(ddl: DdlStatement, { def }: AlterTableCmd): void {
  const name = otherTable(def);
  if (name !== undefined) namedTable(ddl, name);
}

function otherTable(def: Node | undefined): RangeVar | undefined {
  if (def === undefined) return undefined;
  return 'PartitionCmd' in def ? def.PartitionCmd.name : 'RangeVar' in def ? def.RangeVar : undefined;
}

function namedTable(ddl: DdlStatement, name: RangeVar): DdlTable | undefined {
  const other = existingTable(name, ddl.context);
  ddl.qualify(name, other);
  if (other === undefined) ddl.makes(name);
  return other;
}

type Joined = { readonly parent: DdlTable | undefined; readonly child: DdlTable | undefined };

function joinTables(name: RangeVar, { parent, child }: Joined): void {
  if ((parent?.rules.size ?? 0) === 0 || (child?.rules.size ?? 0) === 0) return;
  throw refuseDdl(
    'both tables have rules of their own, so their values were sealed as different columns',
    locationOf(name),
    'Write rules for the parent alone: they hold for its partitions and children.',
  );
}
