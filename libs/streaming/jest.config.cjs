const preset = require('../../jest.preset.cjs');

module.exports = { ...preset, displayName: 'streaming', rootDir: __dirname };
