import { join } from 'node:path';
import { createNodeResolver, importX } from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';

/** Imports point one way: each room, and the rooms it may use. `errors.ts` is everybody's. */
const ROOMS = {
  crypto: [],
  sigv4: [],
  http: [],
  observe: [],
  config: [],
  envelope: ['crypto'],
  keys: ['crypto', 'envelope', 'observe'],
  kms: ['crypto', 'envelope', 'keys', 'sigv4', 'http', 'observe'],
  s3: ['crypto', 'envelope', 'keys', 'sigv4', 'http', 'observe'],
  postgres: ['crypto', 'envelope', 'keys', 'observe'],
  console: ['keys', 'observe'],
  cli: ['crypto', 'envelope', 'keys', 'kms', 's3', 'postgres', 'console', 'config', 'sigv4', 'http', 'observe'],
};

const zones = Object.entries(ROOMS).map(([room, allowed]) => ({
  target: `./src/${room}`,
  from: './src',
  except: ['./errors.ts', `./${room}`, ...allowed.map((name) => `./${name}`)],
  message: `${room}/ may import ${['errors.ts', ...allowed].join(', ')} only (docs/ARCHITECTURE.md, "Rooms")`,
}));

export default tseslint.config(
  { ignores: ['node_modules', 'dist', 'coverage', '**/*.mjs', '**/*.js', '**/*.d.ts'] },
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.recommendedTypeChecked],
    plugins: { 'import-x': importX },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    settings: {
      'import-x/parsers': { '@typescript-eslint/parser': ['.ts'] },
      'import-x/resolver-next': [createNodeResolver({ extensions: ['.ts', '.js'] })],
    },
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/require-await': 'off',
      'no-console': 'error',
      'no-restricted-exports': [
        'error',
        {
          restrictDefaultExports: {
            direct: true,
            named: true,
            defaultFrom: true,
            namedFrom: true,
            namespaceFrom: true,
          },
        },
      ],
      eqeqeq: 'error',
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
      'import-x/no-cycle': 'error',
      'import-x/no-restricted-paths': ['error', { basePath: join(import.meta.dirname), zones }],
    },
  },
  {
    files: ['**/*.test.ts', 'test/**/*.ts', 'bench/**/*.ts', '*.config.ts'],
    rules: {
      // A describe block is a function to the linter; its length says nothing.
      'max-lines-per-function': 'off',
      'max-lines': ['error', { max: 500, skipBlankLines: true, skipComments: true }],
      'no-restricted-exports': 'off',
      'no-console': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
    },
  },
);
