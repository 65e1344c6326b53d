const preset = require('../../jest.preset.cjs');

module.exports = { ...preset, displayName: 'setup', rootDir: __dirname };
