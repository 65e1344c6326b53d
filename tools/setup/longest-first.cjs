const { default: Sequencer } = require('@jest/test-sequencer');

/** Suites that take a minute and more, the longest first: what is begun last is what everything waits for. */
const long = [
  'chaos.integration',
  'simulation.integration',
  'system.spec',
  'poisoned-model',
  'simulation.spec',
  'catalog',
  'served-model',
  'server.spec',
];

/** Jest orders by how long suites took the last time; a fresh clone has no last time, and file sizes say little. */
module.exports = class LongestFirst extends Sequencer {
  sort(tests) {
    const rank = ({ path }) => {
      const at = long.findIndex((name) => path.includes(name));
      return at < 0 ? long.length : at;
    };
    return [...super.sort(tests)].sort((a, b) => rank(a) - rank(b));
  }
};
