/** Shared Jest settings: TypeScript through SWC as CommonJS, sources of all workspaces read directly. */
module.exports = {
  testEnvironment: 'node',
  // Jest runs modules in a context where each look at a global is slow: two thirds of the time of a numeric suite. Only this one: packages declare others anew.
  sandboxInjectedGlobals: ['Math'],
  transform: {
    '^.+\\.[cm]?[tj]s$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
        module: { type: 'commonjs' },
      },
    ],
  },
  // Packages that ship only ES modules are compiled too.
  transformIgnorePatterns: ['/node_modules/(?!(commander|cockatiel)/)'],
  extensionsToTreatAsEsm: [],
  moduleFileExtensions: ['ts', 'mjs', 'js', 'cjs', 'json', 'node'],
  testMatch: ['<rootDir>/src/**/*.spec.ts'],
  testPathIgnorePatterns: ['\\.(integration|container)\\.spec\\.ts$'],
};
