/** A process that opens a JVM broker, says where, and waits to be ended. Run by jvm.integration.spec.ts. */
import { openBroker } from '../src/index.ts';

const { brokers, pid, runDir } = await openBroker({ choice: 'jvm', stateDir: process.argv[2] as string });
process.send?.({ brokers, pid, runDir });
process.on('message', () => process.exit(3));
