/** The bare client as the driver configures it, for tests of the wire in other projects. */
export { Clients } from '../src/kafka/client.ts';
export { producerDefaults } from '../src/kafka/writer.ts';
