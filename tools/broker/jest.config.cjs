const preset = require('../../jest.preset.cjs');

module.exports = { ...preset, displayName: 'broker', rootDir: __dirname };
