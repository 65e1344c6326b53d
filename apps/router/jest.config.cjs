const preset = require('../../jest.preset.cjs');

module.exports = { ...preset, displayName: 'router', rootDir: __dirname };
