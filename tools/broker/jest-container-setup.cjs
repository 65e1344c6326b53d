/** Jest's globalSetup of the container suites: where none can run, they are skipped, and the reason is said. */
module.exports = async () => {
  const { noContainer } = await import('./src/no-container.ts');
  const reason = await noContainer();
  delete process.env.KAFKA_BROKERS;
  delete process.env.SLUICE_NO_CONTAINER;
  if (reason === undefined) return;
  process.env.SLUICE_NO_CONTAINER = reason;
  process.stderr.write(`container suites are skipped: ${reason}\n`);
};
