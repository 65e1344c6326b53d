const preset = require('./jest.preset.cjs');

/** All suites that need a real broker. One is opened for the run, or the one that KAFKA_BROKERS names is used. */
module.exports = {
  ...preset,
  displayName: 'integration',
  rootDir: __dirname,
  roots: ['<rootDir>/apps', '<rootDir>/libs', '<rootDir>/tools'],
  testMatch: ['<rootDir>/{apps,libs,tools}/*/src/**/*.integration.spec.ts'],
  testPathIgnorePatterns: [],
  modulePathIgnorePatterns: ['/dist/'],
  globalSetup: '<rootDir>/tools/broker/jest-global-setup.cjs',
  globalTeardown: '<rootDir>/tools/broker/jest-global-teardown.cjs',
  testTimeout: 120_000,
  testSequencer: '<rootDir>/tools/setup/longest-first.cjs',
  // They wait about as long as they work, mostly for processes that were killed: one at a time leaves a core idle.
  maxWorkers: 2,
};
