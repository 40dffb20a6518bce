/** Enums of sealed columns: what is sealed is the label, so under another name it would be no value of the type any more. */
import type { Node } from '../text/syntax.ts';
import { namesOf } from '../text/syntax.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { columnName } from '../expressions/values.ts';
import { refuseDdl } from './errors.ts';

export function refuseRenamedLabel(node: Node, { relations }: Catalog): void {
  if (!('AlterEnumStmt' in node) || node.AlterEnumStmt.oldVal === undefined) return;
  // By name, whatever the schema.
  const name = namesOf(node.AlterEnumStmt.typeName).at(-1);
  for (const { columns } of relations.values()) {
    for (const { sealed } of columns) {
      if (sealed === undefined || (sealed.type.element ?? sealed.type).user?.name !== name) continue;
      throw refuseDdl(
        `a label of enum ${name ?? ''} cannot be renamed: values of sealed column ${columnName(sealed)} hold it as it was`,
        -1,
        'Add the new label (ALTER TYPE ... ADD VALUE), and update the column to it.',
      );
    }
  }
}
