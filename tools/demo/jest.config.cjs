const preset = require('../../jest.preset.cjs');

module.exports = { ...preset, displayName: 'demo', rootDir: __dirname };
