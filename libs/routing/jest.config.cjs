const preset = require('../../jest.preset.cjs');

module.exports = { ...preset, displayName: 'routing', rootDir: __dirname };
