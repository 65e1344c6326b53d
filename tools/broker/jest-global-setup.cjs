/** Jest's globalSetup of the integration suites: one broker for all of them. */
module.exports = async () => {
  const { openSuiteBroker } = await import('./src/suite-broker.ts');
  globalThis.sluiceSuiteBroker = await openSuiteBroker((text) => process.stderr.write(`broker: ${text}\n`));
};
