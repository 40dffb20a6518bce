/** Replaces `${NAME}` in values from the environment. `$${` stands for `${`; nothing else is special. */
import type { Plain } from './document.ts';
import type { ConfigPath, Finding } from './problem.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export type Interpolated = {
  readonly data: Plain;
  readonly findings: readonly Finding[];
  /** Paths (as JSON) whose whole text came from one variable: where a number is expected, such a text may be one. */
  readonly fromEnvironment: ReadonlySet<string>;
};

const REFERENCE = /\$\$\{|\$\{([^}]*)(\}?)/gu;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/u;

export function interpolate(data: Plain, env: Environment): Interpolated {
  const findings: Finding[] = [];
  const fromEnvironment = new Set<string>();

  const report = (path: ConfigPath, message: string): string => {
    findings.push({ code: 'ERR_CONFIG_ENV', path, at: 'value', message });
    // A stand-in that keeps later checks quiet about this place is not possible; what follows is filtered by path instead.
    return '';
  };
  const lookUp = (name: string, closed: boolean, path: ConfigPath): string => {
    if (!closed || !NAME.test(name))
      return report(path, 'expected `${NAME}` with letters, digits and _ (write `$${` for the text `${`)');
    const value = env[name];
    if (value === undefined) return report(path, `the environment variable ${name} is not set`);
    return value === '' ? report(path, `the environment variable ${name} is empty`) : value;
  };
  const visit = (value: Plain, path: ConfigPath): Plain => {
    if (typeof value === 'string') {
      if (/^\$\{[^}]*\}$/u.test(value)) fromEnvironment.add(JSON.stringify(path));
      return value.replace(REFERENCE, (whole, name: string | undefined, brace: string | undefined) =>
        whole === '$${' ? '${' : lookUp(name ?? '', brace === '}', path),
      );
    }
    if (Array.isArray(value)) return value.map((item: Plain, index) => visit(item, [...path, index]));
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, visit(inner, [...path, key])]));
  };
  return { data: visit(data, []), findings, fromEnvironment };
}
