import { createHash } from 'node:crypto';
import { inVirtualTime } from './virtual-time.ts';
import { World, type Outcome } from './world.ts';

/** Virtual milliseconds in which a seed's faults begin and its input is written. */
const duration = 12_000;
/** The promise: so soon after the last fault everything is committed. */
export const recoverWithin = 60_000;
const limit = 300_000;
const mostFaults = 10;

export interface SeedOptions {
  /** Told line by line what happens. */
  readonly onEvent?: (line: string) => void;
}

export interface SeedResult extends Outcome {
  readonly seed: number;
  /** Of every byte on the network with its time: the same for the same seed. */
  readonly digest: string;
}

/** Of a seed that came to no end. */
export const nothingPlayed: Omit<SeedResult, 'seed' | 'violations'> = {
  ...{ digest: '', faults: [], delivery: 'exactly-once', transactions: '1', sent: 0, recovery: 0, processFailures: [] },
};

/** Plays one seed in virtual time. The same seed gives the same bytes at the same times. */
export async function runSeed(seed: number, options: SeedOptions = {}): Promise<SeedResult> {
  const hash = createHash('sha1');
  const violations: string[] = [];
  let world: World | undefined;
  const onUnhandled = (thrown: unknown) => void violations.push(`unhandled rejection: ${String(thrown)}`);
  process.on('unhandledRejection', onUnhandled);
  try {
    const outcome = await inVirtualTime(seed, { limit }, (time) => {
      const onChunk = (line: string, bytes: Buffer) => void hash.update(`${time.now()} ${line} `).update(bytes);
      world = new World({ seed, time, faults: seed % (mostFaults + 1), duration, recoverWithin, onChunk, ...options });
      return world.run();
    });
    return { ...outcome, seed, digest: hash.digest('hex').slice(0, 16), violations: [...outcome.violations, ...violations] };
  } catch (thrown) {
    violations.push(String(thrown));
    return { ...nothingPlayed, seed, digest: hash.digest('hex').slice(0, 16), violations };
  } finally {
    process.off('unhandledRejection', onUnhandled);
  }
}
