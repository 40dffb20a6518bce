/** What the audit log shows of the operator's rules on the life of keys: each with its reason, at every start. */
import { ITSELF } from '../start-record.ts';
import type { UseRecorder } from '../uses/use-recorder.ts';
import type { LifeOptions, LifeRule } from './terms/options.ts';

export async function recordLife(recorder: UseRecorder, { profile, recipientEnd, rules }: LifeOptions): Promise<void> {
  const write = (action: string, detail: Record<string, string | number>): Promise<void> =>
    recorder.write(action, ITSELF, null, { decision: { allow: true, why: 'config' }, detail }, 'success');
  if (profile !== 'aws') await write('KeyLifeProfile', { profile, recipientEnd });
  await Promise.all(rules.map((rule, index) => write('KeyLifeRule', { rule: index + 1, ...ruleDetail(rule) })));
}

function ruleDetail({ keys, types, ...settings }: LifeRule): Record<string, string | number> {
  const said = Object.entries({ keys: keys?.join(' '), types: types?.join(' '), ...settings });
  return Object.fromEntries(said.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}
