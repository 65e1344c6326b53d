const preset = require('./jest.preset.cjs');

/** All suites that start Kafka in a container. Without an engine or an image they are skipped, with the reason said. */
module.exports = {
  ...preset,
  displayName: 'container',
  rootDir: __dirname,
  roots: ['<rootDir>/apps', '<rootDir>/libs', '<rootDir>/tools'],
  testMatch: ['<rootDir>/{apps,libs,tools}/*/src/**/*.container.spec.ts'],
  testPathIgnorePatterns: [],
  modulePathIgnorePatterns: ['/dist/'],
  globalSetup: '<rootDir>/tools/broker/jest-container-setup.cjs',
  testTimeout: 240_000,
  maxWorkers: 1,
};
