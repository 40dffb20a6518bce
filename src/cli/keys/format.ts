/** Keys as a terminal shows them. */
import type { KeyDescription, MaterialDescription } from '../../keys/key-admin.ts';

export function formatJson(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

export function formatKey(key: KeyDescription): string {
  const lines = [
    ['key', key.arn],
    ['aliases', key.aliases.join(', ') || '-'],
    ['state', key.state],
    ...(key.deletionDate === undefined ? [] : [['destroyed', key.deletionDate]]),
    ...(key.spec === 'SYMMETRIC_DEFAULT' ? [] : [['kind', `${key.spec} for ${key.usage}`]]),
    ...(key.origin === 'AWS_KMS' ? [] : [['origin', originLine(key)]]),
    ['created', key.createdAt],
    ...(key.description === '' ? [] : [['description', key.description]]),
    ...key.materials.flatMap(materialLines),
  ];
  return lines.map(([name = '', value = '']) => `${name.padEnd(12)}${value}\n`).join('');
}

function originLine({ expiration }: KeyDescription): string {
  if (expiration === undefined) return 'imported; material is missing';
  return expiration.type === 'never' ? 'imported' : `imported, until ${expiration.validTo}`;
}

function materialLines(material: MaterialDescription): readonly (readonly string[])[] {
  const { version, materialId, state, stillOpens, createdAt, history } = material;
  const shown = stillOpens ? `${state}, still opens` : state;
  const steps = history.map((step) => {
    const opens = step.stillOpens ? ', still opens' : '';
    return ['', `   ${step.at}  ${step.to}${opens}  ${step.by ?? '-'}  ${step.reason}`];
  });
  return [['material', `${version}  ${materialId}  ${shown}  ${createdAt}`], ...steps];
}

export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

export function formatKeys(keys: readonly KeyDescription[]): string {
  if (keys.length === 0) return 'no keys yet; `sealgate keys create` makes one\n';
  const rows = keys.map((key) => [
    key.keyId,
    key.state,
    String(key.materials.length),
    key.createdAt,
    key.aliases.join(', '),
  ]);
  return formatTable([['KEY ID', 'STATE', 'MATERIALS', 'CREATED', 'ALIASES'], ...rows]);
}
