/** `keys.life` of the config file: each rule tried by who knows the standard. */
import type { KeyLifeConfig } from '../config.ts';
import type { Finding } from '../problem.ts';

/** What is wrong with a rule, and with which member of it; undefined: nothing. */
export type CheckLifeRule = (
  rule: KeyLifeConfig['rules'][number],
) => { readonly member: string; readonly message: string } | undefined;

export function resolveKeyLife(life: KeyLifeConfig, check: CheckLifeRule, findings: Finding[]): KeyLifeConfig {
  for (const [index, rule] of life.rules.entries()) {
    const problem = check(rule);
    if (problem === undefined) continue;
    const { member, message } = problem;
    const path = ['keys', 'life', 'rules', index, member];
    findings.push({ code: 'ERR_CONFIG_CONTRADICTION', path, at: 'value', message });
  }
  return life;
}
