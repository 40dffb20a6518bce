/** `sealgate keys list` */
import { defineCommand, EXIT } from '../command.ts';
import type { KeyUse } from '../../keys/uses/data-keys.ts';
import type { KeyDescription } from '../../keys/admin/key-admin.ts';
import type { KeyManager } from '../../keys/key-manager.ts';
import { formatJson, formatKeys } from './format.ts';
import { JSON_OPTION, ownKeySettings, STORE_OPTIONS, terminalUse, withKeysOrBeside } from './session.ts';

export const keysListCommand = defineCommand({
  name: 'keys list',
  summary: 'list KMS keys with their state and aliases',
  usage: 'keys list [--json]',
  example: 'sealgate keys list',
  details: 'Works beside a running `sealgate up`.',
  options: { ...STORE_OPTIONS, ...JSON_OPTION },
  run: async ({ values }, io) => {
    const settings = await ownKeySettings(values, io);
    const found = await withKeysOrBeside(
      settings,
      (keys) => listAll(keys, terminalUse(settings, 'keys list')),
      async () => (await import('../../keys/offline.ts')).readKeys(settings.options, Date.now),
    );
    io.stdout.write(values.json === true ? formatJson(found) : formatKeys(found));
    return EXIT.ok;
  },
});

/** Of every region that is served. */
async function listAll(keys: KeyManager, use: KeyUse): Promise<readonly KeyDescription[]> {
  const found: KeyDescription[] = [];
  for (const region of keys.regions) found.push(...((await keys.inRegion(region)?.listKeys(use)) ?? []));
  return found;
}
