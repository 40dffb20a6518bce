/** The options of a COPY, both spellings, as its data is told apart by them (ProcessCopyOptions in src/backend/commands/copy.c). */
import type { DefElem } from 'libpg-query';
import type { ColumnChoice, CopyFormat, HeaderLine } from '../copy/format.ts';
import { AnalysisError, refuseStatement, UNSUPPORTED } from './errors.ts';
import { locationOf, namesOf, type Node } from './text/syntax.ts';

type Options = ReadonlyMap<string, DefElem>;

/** Options that change nothing here. */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set(['freeze', 'log_verbosity']);
const KNOWN: ReadonlySet<string> = new Set([
  ...WITHOUT_EFFECT,
  'format',
  'delimiter',
  'null',
  'default',
  'header',
  'quote',
  'escape',
  'force_quote',
  'force_null',
  'force_not_null',
  'encoding',
  'on_error',
]);

/** `names`: of the columns, in order. Throws AnalysisError where an option is not known, or makes rows that cannot be told apart. */
export function copyFormat(nodes: readonly Node[], names: readonly string[]): CopyFormat {
  const options = optionsOf(nodes);
  requireEncoding(options.get('encoding'));
  requireStop(options.get('on_error'));
  const type = text(options, 'format') ?? 'text';
  if (type === 'binary') return { type };
  const nullMarker = Buffer.from(text(options, 'null') ?? (type === 'csv' ? '' : '\\N'));
  const defaultText = text(options, 'default');
  const lines = {
    nullMarker,
    defaultMarker: defaultText === undefined ? undefined : Buffer.from(defaultText),
    header: headerOf(options.get('header')),
  };
  if (type === 'text') return { type, ...lines, delimiter: byte(options, 'delimiter') ?? 0x09 };
  if (type !== 'csv') throw invalid('22023', `COPY format "${type}" not recognized`, options.get('format'));
  const quote = byte(options, 'quote') ?? 0x22;
  return {
    type,
    ...lines,
    delimiter: byte(options, 'delimiter') ?? 0x2c,
    quote,
    escape: byte(options, 'escape') ?? quote,
    forceQuote: columnsOf(options.get('force_quote'), names),
    forceNull: columnsOf(options.get('force_null'), names),
    forceNotNull: columnsOf(options.get('force_not_null'), names),
  };
}

function optionsOf(nodes: readonly Node[]): Options {
  const options = new Map<string, DefElem>();
  for (const node of nodes) {
    if (!('DefElem' in node)) continue;
    const name = node.DefElem.defname ?? '';
    if (options.has(name)) throw invalid('42601', 'conflicting or redundant options', node.DefElem);
    if (!KNOWN.has(name)) throw unsupported(`option "${name}" of COPY`, node.DefElem);
    options.set(name, node.DefElem);
  }
  return options;
}

/** What the server's defGetString gives of what can be a string here. */
function text(options: Options, name: string): string | undefined {
  const option = options.get(name);
  if (option === undefined) return undefined;
  const { arg } = option;
  if (arg === undefined) throw invalid('42601', `${name} requires a parameter`);
  if ('String' in arg) return arg.String.sval ?? '';
  throw unsupported(`this value of option "${name}" of COPY`, option);
}

function byte(options: Options, name: string): number | undefined {
  const value = text(options, name);
  if (value === undefined) return undefined;
  const [first, ...more] = Buffer.from(value);
  if (first === undefined || more.length > 0)
    throw invalid(UNSUPPORTED, `COPY ${name} must be a single one-byte character`);
  if (first === 0x0a || first === 0x0d) throw invalid('22023', `COPY ${name} cannot be newline or carriage return`);
  return first;
}

function headerOf(option: DefElem | undefined): HeaderLine {
  if (option === undefined) return 'none';
  const { arg } = option;
  if (arg === undefined) return 'skip';
  if ('Boolean' in arg) return arg.Boolean.boolval === true ? 'skip' : 'none';
  if ('Integer' in arg && (arg.Integer.ival ?? 0) <= 1) return arg.Integer.ival === 1 ? 'skip' : 'none';
  const word = 'String' in arg ? (arg.String.sval ?? '').toLowerCase() : '';
  if (word === 'match') return 'match';
  if (word === 'true' || word === 'on') return 'skip';
  if (word === 'false' || word === 'off') return 'none';
  throw invalid('42601', 'header requires a Boolean value or "match"');
}

function columnsOf(option: DefElem | undefined, names: readonly string[]): ColumnChoice {
  const arg = option?.arg;
  if (arg === undefined) return new Set();
  if ('A_Star' in arg) return 'all';
  if (!('List' in arg)) throw unsupported(`this value of option "${option?.defname ?? ''}" of COPY`, option);
  const places = new Set<number>();
  for (const name of namesOf(arg.List.items)) {
    const index = names.indexOf(name);
    // One that does not exist, or is not copied: the server says which.
    if (index >= 0) places.add(index);
  }
  return places;
}

function requireEncoding(option: DefElem | undefined): void {
  const arg = option?.arg;
  if (arg === undefined) return;
  const name = 'String' in arg ? (arg.String.sval ?? '') : '';
  if (/^(utf_?-?8|unicode)$/i.test(name)) return;
  throw unsupported('COPY in another encoding than UTF8', option, 'Leave ENCODING out, or name UTF8.');
}

/** What is skipped the server would have to know of, and it sees no value that does not fit a sealed column. */
function requireStop(option: DefElem | undefined): void {
  const arg = option?.arg;
  if (arg !== undefined && 'String' in arg && (arg.String.sval ?? '').toLowerCase() === 'stop') return;
  if (option !== undefined) throw unsupported('COPY with ON_ERROR', option, 'Leave it out: COPY stops at an error.');
}

/** As the server says it, which tells the place of some options alone. */
function invalid(sqlstate: string, message: string, option?: DefElem): AnalysisError {
  const location = option === undefined ? -1 : locationOf(option);
  return new AnalysisError('ERR_POSTGRES_COPY_OPTION', sqlstate, message, location);
}

function unsupported(what: string, option: DefElem | undefined, hint?: string): AnalysisError {
  return refuseStatement(`${what} is not supported on tables with sealed columns`, locationOf(option), hint);
}
