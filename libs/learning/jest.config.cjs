const preset = require('../../jest.preset.cjs');

module.exports = { ...preset, displayName: 'learning', rootDir: __dirname };
