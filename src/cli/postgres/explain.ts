/** `sealgate postgres explain`: what the proxy would do with statements, before it does. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { defineCommand, EXIT, type CommandIo } from '../command.ts';
import { cannotRead, CliError } from '../errors.ts';
import { formatJson } from '../keys/format.ts';
import { JSON_OPTION } from '../keys/session.ts';
import { chooseDatabase, DATABASE_OPTIONS, withService } from './database.ts';
import { formatExplanation, formatProblems, formatTotals } from './explain-report.ts';

const DEFAULT_LIMIT = 500;

export const postgresExplainCommand = defineCommand({
  name: 'postgres explain',
  summary: 'say of SQL statements whether they pass, how they are rewritten, or why they are refused',
  usage: 'postgres explain (<sql> | --file <file> | --recorded) [--database <name>] [--search-path <schemas>] [--json]',
  example: [
    `sealgate postgres explain "select * from customers where national_id = '078-05-1120'"`,
    'sealgate postgres explain --file queries.sql',
    'sealgate postgres explain --recorded --json | jq \'.statements[] | select(.verdict.type == "refused")\'',
  ].join('\n'),
  details: [
    'Nothing is run: each statement is planned as a running proxy would plan it, against the live catalog, as if every rule of the config',
    'held already. So it tells before `sealgate postgres seal` what an application will meet. Statements are explained one by one: what SET,',
    'DDL or PREPARE before them would change is not followed. --recorded takes what pg_stat_statements has of this database (roles but',
    'Sealgate’s own), most often run first; there every literal is masked. Needs no keys, works beside a running `sealgate up`, and leaves',
    'nothing behind but schema `sealgate`. Exit code 0: all pass; 1: some are refused; 2: usage; 3: the config is wrong; 4: no answer.',
  ].join('\n'),
  options: {
    ...DATABASE_OPTIONS,
    file: { type: 'string', short: 'f', placeholder: 'file', help: 'statements to explain; - for stdin' },
    recorded: { type: 'boolean', help: 'the statements that pg_stat_statements has recorded' },
    limit: { type: 'string', placeholder: 'n', help: `with --recorded: how many at most (default: ${DEFAULT_LIMIT})` },
    'search-path': {
      type: 'string',
      placeholder: 'schemas',
      help: 'as in SET search_path (default: that of a new connection)',
    },
    ...JSON_OPTION,
  },
  positionals: { min: 0, max: 1 },
  run: async ({ positionals: [sql], values }, io) => {
    const source = sourceOf(sql, values);
    const chosen = await chooseDatabase(values, io);
    const { explainAll } = await import('../../postgres/explain/session.ts');
    return withService(chosen, async (connection) => {
      const statements =
        source.type === 'recorded'
          ? await (await import('../../postgres/explain/recorded.ts')).recordedStatements(connection, source.limit)
          : await given(source, io);
      const { database, rules } = chosen;
      const run = await explainAll(
        {
          connection,
          rules,
          allowRoutines: database.allowRoutines,
          random: randomBytes,
          searchPath: values['search-path'],
        },
        statements,
      );
      io.signal.throwIfAborted();
      const { problems, explanations } = run;
      if (values.json === true)
        io.stdout.write(formatJson({ database: database.name, problems, statements: explanations }));
      else {
        io.stdout.write(formatProblems(database.name, problems));
        explanations.forEach((explanation, index) => io.stdout.write(formatExplanation(explanation, index + 1)));
        io.stdout.write(formatTotals(explanations));
      }
      return explanations.some(({ verdict }) => verdict.type === 'refused') ? EXIT.failure : EXIT.ok;
    });
  },
});

type Source =
  | { readonly type: 'text'; readonly sql: string }
  | { readonly type: 'file'; readonly path: string }
  | { readonly type: 'recorded'; readonly limit: number };

function sourceOf(
  sql: string | undefined,
  { file, recorded, limit }: { file?: string | undefined; recorded?: boolean | undefined; limit?: string | undefined },
): Source {
  const given = [sql, file, recorded === true ? '' : undefined].filter((one) => one !== undefined);
  if (given.length !== 1)
    throw new CliError('ERR_CLI_USAGE', 'postgres explain takes one of: a statement, --file, --recorded');
  if (limit !== undefined && (recorded !== true || !/^[1-9]\d{0,6}$/u.test(limit)))
    throw new CliError('ERR_CLI_USAGE', '--limit takes a number, and belongs to --recorded');
  if (sql !== undefined) return { type: 'text', sql };
  return file === undefined
    ? { type: 'recorded', limit: Number(limit ?? DEFAULT_LIMIT) }
    : { type: 'file', path: file };
}

async function given(
  source: Exclude<Source, { type: 'recorded' }>,
  io: CommandIo,
): Promise<readonly { sql: string }[]> {
  const { loadGrammar } = await import('../../postgres/analysis/text/syntax.ts');
  const { splitStatements } = await import('../../postgres/explain/split.ts');
  await loadGrammar();
  const text = source.type === 'text' ? source.sql : await readText(source.path, io);
  return splitStatements(text).map((sql) => ({ sql }));
}

async function readText(path: string, { cwd, stdin }: CommandIo): Promise<string> {
  try {
    if (path !== '-') return await readFile(resolve(cwd, path), 'utf8');
    const chunks: Uint8Array[] = [];
    // A Readable without an encoding gives bytes.
    for await (const chunk of stdin) chunks.push(chunk as Uint8Array);
    return Buffer.concat(chunks).toString('utf8');
  } catch (cause) {
    throw cannotRead(path, cause);
  }
}
