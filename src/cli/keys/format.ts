/** Keys as a terminal shows them. */
import { unreachable } from '../../errors.ts';
import { regionOfArn } from '../../keys/arn.ts';
import type { KeyDescription, MaterialDescription } from '../../keys/admin/key-admin.ts';
import { MANAGING_SERVICES } from '../../keys/managed/management.ts';

export function formatJson(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

export function formatKey(key: KeyDescription): string {
  const lines = [
    ['key', key.arn],
    ['aliases', key.aliases.join(', ') || '-'],
    ...(key.management.type === 'customer' ? [] : [['managed by', managerLine(key)]]),
    ['state', key.state],
    ...regionsRow(key),
    ...(key.deletionDate === undefined ? [] : [['destroyed', key.deletionDate]]),
    ...(key.spec === 'SYMMETRIC_DEFAULT' ? [] : [['kind', `${key.spec} for ${key.usage}`]]),
    ...(key.origin === 'AWS_KMS' ? [] : [['origin', originLine(key)]]),
    ['created', key.createdAt],
    ...(key.description === '' ? [] : [['description', key.description]]),
    ...key.materials.flatMap(materialLines),
  ];
  return lines.map(([name = '', value = '']) => `${name.padEnd(12)}${value}\n`).join('');
}

/** Of a key that is no customer's. */
export function managerLine({ management }: KeyDescription): string {
  switch (management.type) {
    case 'customer':
      return 'customer';
    case 'service':
      return `${MANAGING_SERVICES[management.service].name}: usable through Sealgate alone, rotated every year`;
    case 'owned':
      return `Sealgate, for ${management.purpose}: invisible to callers, rotated every year`;
    default:
      return unreachable(management);
  }
}

/** In a list. */
function managerName({ management }: KeyDescription): string {
  return management.type === 'service' ? `service ${management.service}` : management.type;
}

/** None for a key of its region alone. */
export function regionsRow({ multiRegion }: KeyDescription): readonly (readonly string[])[] {
  if (multiRegion === undefined) return [];
  const { type, primary, replicas } = multiRegion;
  const others = replicas.map(({ region }) => region).join(', ');
  return [['regions', `multi-Region, ${type}; primary key in ${primary.region}, replicas in ${others || 'none'}`]];
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
  const regions = new Set(keys.map(({ arn }) => regionOfArn(arn)));
  const named = (text: string): readonly string[] => (regions.size > 1 ? [text] : []);
  const rows = keys.map((key) => [
    key.keyId,
    ...named(regionOfArn(key.arn) ?? ''),
    managerName(key),
    key.state,
    String(key.materials.length),
    key.createdAt,
    key.aliases.join(', '),
  ]);
  return formatTable([['KEY ID', ...named('REGION'), 'MANAGER', 'STATE', 'MATERIALS', 'CREATED', 'ALIASES'], ...rows]);
}
