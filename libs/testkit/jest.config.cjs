const preset = require('../../jest.preset.cjs');

module.exports = { ...preset, displayName: 'testkit', rootDir: __dirname };
