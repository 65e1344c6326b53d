import type { Random } from '@sluice/learning/simulation';
import { coordinatorTypes, type CoordinatorType } from '../model/cluster.ts';
import type { ApiName } from '../protocol/apis.ts';

/** A fault that waits for a request of some kind: the named points of a transaction and of a group. */
export const trapActions = [
  'lose request',
  'lose answer',
  'silence request',
  'silence answer',
  'delay',
  'kill before',
  'kill after',
] as const;
export type TrapAction = (typeof trapActions)[number] | 'damage answer';

/** Something that goes wrong. Times in milliseconds; a slot is a process with its successors. */
export type Fault =
  | { readonly kind: 'leader moves'; readonly place: string }
  | { readonly kind: 'coordinator moves'; readonly type: CoordinatorType; readonly shard: number; readonly loading: number }
  | { readonly kind: 'node stops'; readonly node: number; readonly ms: number }
  | { readonly kind: 'connections reset'; readonly slot?: number; readonly node?: number }
  | { readonly kind: 'path held'; readonly slot: number; readonly node: number; readonly ms: number }
  | { readonly kind: 'process frozen'; readonly slot: number; readonly ms: number }
  | { readonly kind: 'process killed'; readonly slot: number; readonly away: number }
  | { readonly kind: 'process restarted'; readonly slot: number; readonly away: number }
  | { readonly kind: 'node slow'; readonly node: number; readonly factor: number; readonly ms: number }
  | { readonly kind: 'markers slow'; readonly factor: number; readonly ms: number }
  | { readonly kind: 'records expire'; readonly partition: number; readonly beyond: number }
  | { readonly kind: 'trap'; readonly api: ApiName; readonly action: TrapAction; readonly ms: number };

export type PlannedFault = Fault & { readonly at: number };

/** What there is to break. */
export interface Terrain {
  readonly nodes: number;
  readonly slots: number;
  readonly places: readonly string[];
  readonly inputPartitions: number;
}

/** Requests worth a trap, the steps of a transaction more than once. */
const trapped: readonly ApiName[] = [
  ...['Produce', 'Produce', 'EndTxn', 'EndTxn', 'EndTxn', 'TxnOffsetCommit', 'TxnOffsetCommit', 'AddPartitionsToTxn', 'AddOffsetsToTxn'],
  ...[
    'InitProducerId',
    'InitProducerId',
    'OffsetFetch',
    'ListOffsets',
    'Fetch',
    'JoinGroup',
    'SyncGroup',
    'SyncGroup',
    'Heartbeat',
    'LeaveGroup',
  ],
  ...['FindCoordinator', 'Metadata', 'ApiVersions'],
] as const as readonly ApiName[];

type Maker = (random: Random, terrain: Terrain) => Fault;

const between = (random: Random, low: number, high: number): number => low + random.below(high - low);
const oneOf = <T>(random: Random, items: readonly T[]): T => items[random.below(items.length)]!;
const node = (random: Random, { nodes }: Terrain): number => 1 + random.below(nodes);
const slot = (random: Random, { slots }: Terrain): number => random.below(slots);

const makers: readonly { readonly weight: number; readonly make: Maker }[] = [
  { weight: 8, make: (r) => ({ kind: 'trap', api: oneOf(r, trapped), action: oneOf(r, trapActions), ms: between(r, 200, 25_000) }) },
  { weight: 1, make: () => ({ kind: 'trap', api: 'Fetch', action: 'damage answer', ms: 0 }) },
  { weight: 2, make: (r, t) => ({ kind: 'leader moves', place: oneOf(r, t.places) }) },
  {
    weight: 2,
    make: (r) => ({ kind: 'coordinator moves', type: oneOf(r, coordinatorTypes), shard: r.below(3), loading: between(r, 0, 2_000) }),
  },
  { weight: 1, make: (r, t) => ({ kind: 'node stops', node: node(r, t), ms: between(r, 300, 6_000) }) },
  { weight: 1, make: (r, t) => ({ kind: 'connections reset', slot: slot(r, t) }) },
  { weight: 1, make: (r, t) => ({ kind: 'connections reset', node: node(r, t) }) },
  { weight: 1, make: (r, t) => ({ kind: 'path held', slot: slot(r, t), node: node(r, t), ms: between(r, 500, 15_000) }) },
  { weight: 1, make: (r, t) => ({ kind: 'process frozen', slot: slot(r, t), ms: between(r, 2_000, 20_000) }) },
  { weight: 2, make: (r, t) => ({ kind: 'process killed', slot: slot(r, t), away: between(r, 0, 3_000) }) },
  { weight: 1, make: (r, t) => ({ kind: 'process restarted', slot: slot(r, t), away: between(r, 0, 3_000) }) },
  { weight: 1, make: (r, t) => ({ kind: 'node slow', node: node(r, t), factor: between(r, 10, 500), ms: between(r, 500, 5_000) }) },
  { weight: 1, make: (r) => ({ kind: 'markers slow', factor: between(r, 5, 100), ms: between(r, 500, 5_000) }) },
  { weight: 1, make: (r, t) => ({ kind: 'records expire', partition: r.below(t.inputPartitions), beyond: r.below(8) - 4 }) },
];

/** The faults of a seed, in order of time: `count` of them within `duration`. */
export function planFaults(random: Random, terrain: Terrain, { count, duration }: { count: number; duration: number }): PlannedFault[] {
  const bag = makers.flatMap(({ weight, make }) => Array.from({ length: weight }, () => make));
  const faults = Array.from({ length: count }, () => ({ ...oneOf(random, bag)(random, terrain), at: between(random, 100, duration) }));
  return faults.sort((a, b) => a.at - b.at);
}

/** How long a fault goes on by itself. */
export function lastingOf(fault: Fault): number {
  return 'ms' in fault ? fault.ms : 'away' in fault ? fault.away : 'loading' in fault ? fault.loading : 0;
}

export function describeFault({ at, kind, ...rest }: PlannedFault): string {
  const details = Object.entries(rest).map(([name, value]) => `${name} ${String(value)}`);
  return `${String(at).padStart(6)} ms  ${kind}${details.length > 0 ? `: ${details.join(', ')}` : ''}`;
}
