/** Programs of `test/clients` in Python, Java and Go: made on first use, and told whom to trust in each language's own way. */
import { join } from 'node:path';
import { buildClient, type BuiltClient } from './client-cache.ts';
import { start } from './run.ts';

const CLIENTS = join(import.meta.dirname, '../clients');

/** A program as words before its arguments, or why there is none. */
export type LanguageClient =
  | { readonly type: 'built'; readonly words: readonly [string, ...string[]] }
  | { readonly type: 'none'; readonly reason: string };

/** `test/clients/<name>/main.py` in an environment of its own with these packages. */
export async function pythonClient(name: string, packages: readonly string[]): Promise<LanguageClient> {
  const built = await buildClient({
    name,
    needs: ['python3'],
    steps: [
      { words: ['python3', '-m', 'venv', '.'] },
      { words: ['bin/python', '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...packages] },
    ],
  });
  return words(built, (folder) => [join(folder, 'bin/python'), join(CLIENTS, name, 'main.py')]);
}

/** The class `Main` of the Maven project `test/clients/<name>`. */
export async function javaClient(name: string): Promise<LanguageClient> {
  const built = await buildClient({
    name,
    needs: ['java', 'mvn'],
    source: join(CLIENTS, name),
    steps: [
      {
        words: [
          'mvn',
          '-q',
          '-B',
          'compile',
          'dependency:copy-dependencies',
          '-DincludeScope=runtime',
          '-DoutputDirectory=lib',
        ],
      },
    ],
  });
  const path = (folder: string): string => [join(folder, 'target/classes'), join(folder, 'lib/*')].join(':');
  // It lives for a moment: compiling it well costs more than it gains.
  return words(built, (folder) => ['java', '-XX:TieredStopAtLevel=1', '-cp', path(folder), 'Main']);
}

/** The Go program `test/clients/<name>`. */
export async function goClient(name: string): Promise<LanguageClient> {
  const built = await buildClient({
    name,
    needs: ['go'],
    source: join(CLIENTS, name),
    steps: [{ words: ['go', 'build', '-o', 'main', '.'] }],
  });
  return words(built, (folder) => [join(folder, 'main')]);
}

const words = (built: BuiltClient, of: (folder: string) => readonly [string, ...string[]]): LanguageClient =>
  built.type === 'none' ? built : { type: 'built', words: of(built.folder) };

/** The environment by which Java trusts the CA of `caFile`, by a store of its own form. */
export async function trustedByJava(caFile: string): Promise<NodeJS.ProcessEnv> {
  const store = `${caFile}.p12`;
  const password = 'of-the-tests';
  const asked = [
    '-importcert',
    '-noprompt',
    '-alias',
    'ca',
    '-file',
    caFile,
    '-keystore',
    store,
    '-storepass',
    password,
  ];
  const { code, stdout, stderr } = await start('keytool', [...asked, '-storetype', 'PKCS12']).done;
  if (code !== 0) throw new Error(`keytool: ${stderr}${stdout}`);
  return { JAVA_TOOL_OPTIONS: `-Djavax.net.ssl.trustStore=${store} -Djavax.net.ssl.trustStorePassword=${password}` };
}
