/**
 * Streams of which everything is known, played through the serving functions and the learner: for proofs and benchmarks, never in an app.
 *
 * @example
 * const events = syntheticStream({ seed: 1, events: 20_000, strengths: [0.75, 1.6, 2.6], tiers: ['fast', 'standard', 'heavy'] });
 * const run = simulate({ events, flow, signatureWidth: streamWidth, costs: [0.02, 0.2, 1], shadowDelay: 100, truthDelay: 500, publishEvery: 100 });
 * meanOf(run.harmed); // share of events that always-heavy would have got right
 */
export { seededRandom, shuffled, type Random } from './random.ts';
export { meanOf, simulate, type Simulation, type SimulationSpec } from './simulate.ts';
export { binaryAnswer, sortedIntoBlocks, streamWidth, syntheticStream, type StreamSpec } from './stream.ts';
export { serve, type KnownEvent, type Served, type Serving } from '../serve.ts';
export { OnlineHead } from '../online-head.ts';
