const { globSync } = require('node:fs');

/** Unit and property tests of all projects in one run; `npm test` and editors use it. */
module.exports = {
  maxWorkers: 2,
  testSequencer: '<rootDir>/tools/setup/longest-first.cjs',
  projects: globSync('{apps,libs,tools}/*/jest.config.cjs', { cwd: __dirname }).map((file) => `<rootDir>/${file}`),
};
