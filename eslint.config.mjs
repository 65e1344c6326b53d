import nx from '@nx/eslint-plugin';
import tseslint from 'typescript-eslint';
import { depConstraints, pureFiles, pureRules } from './tools/setup/eslint/boundaries.mjs';

const tests = ['**/*.spec.ts', '**/testing/**/*.ts'];

const boundaries = (options) => ({
  '@nx/enforce-module-boundaries': [
    'error',
    {
      allow: [],
      enforceBuildableLibDependency: false,
      checkDynamicDependenciesExceptions: ['.*'],
      depConstraints: depConstraints(options),
    },
  ],
});

export default tseslint.config(
  {
    ignores: [
      '**/dist/**',
      '**/out-tsc/**',
      '**/node_modules/**',
      '**/.nx/**',
      '**/.sluice/**',
      '**/coverage/**',
      'tools/setup/fixtures/**',
    ],
  },
  ...tseslint.configs.recommended,
  {
    files: ['**/*.{ts,mts,mjs,cjs,js}'],
    plugins: { '@nx': nx },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      'max-params': ['error', 3],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true }],
      'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true, named: true, defaultFrom: true } }],
      eqeqeq: 'error',
      'no-var': 'error',
      'prefer-const': 'error',
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 50, skipBlankLines: true, skipComments: true }],
    },
  },
  { files: ['**/*.ts'], ignores: tests, rules: boundaries({ tests: false }) },
  { files: tests, rules: { ...boundaries({ tests: true }), 'max-lines-per-function': 'off', 'max-lines': 'off', 'max-params': 'off' } },
  { files: pureFiles, ignores: tests, rules: pureRules },
  {
    files: ['**/index.ts'],
    rules: { 'no-restricted-syntax': ['error', { selector: 'ExportAllDeclaration', message: 'A door names what it exports.' }] },
  },
  { files: ['**/*.cjs'], rules: { '@typescript-eslint/no-require-imports': 'off' } },
  { files: ['eslint.config.mjs'], rules: { 'no-restricted-exports': 'off' } },
);
