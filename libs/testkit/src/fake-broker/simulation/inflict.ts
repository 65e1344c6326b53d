import type { Cluster } from '../model/cluster.ts';
import type { Network } from '../model/network.ts';
import type { Fault } from './faults.ts';
import type { Slot } from './slot.ts';

/** Lets a fault happen, and end after its time. Traps and retention are the world's own. */
export function inflict(
  fault: Exclude<Fault, { kind: 'trap' | 'records expire' }>,
  { cluster, network, slots }: { cluster: Cluster; network: Network; slots: readonly Slot[] },
): void {
  const now = Date.now();
  switch (fault.kind) {
    case 'leader moves':
      return cluster.moveLeader(fault.place);
    case 'coordinator moves':
      return cluster.moveCoordinator(fault.type, fault.shard, fault.loading);
    case 'node stops':
      cluster.stop(fault.node, 500);
      if (!cluster.isUp(fault.node)) network.reset(({ node }) => node === fault.node);
      return void setTimeout(() => cluster.start(fault.node), fault.ms);
    case 'connections reset': {
      const client = fault.slot === undefined ? undefined : slots[fault.slot]!.client;
      return network.reset((one) => (client === undefined || one.client === client) && (fault.node ?? one.node) === one.node);
    }
    case 'path held':
      return network.hold(slots[fault.slot]!.client, fault.node, now + fault.ms);
    case 'process frozen':
      for (const node of cluster.nodes) network.hold(slots[fault.slot]!.client, node, now + fault.ms);
      return;
    case 'process killed':
      network.kill(slots[fault.slot]!.client);
      return slots[fault.slot]!.killed(fault.away);
    case 'process restarted':
      return void slots[fault.slot]!.restart(fault.away);
    case 'node slow':
      network.slowness.set(fault.node, fault.factor);
      return void setTimeout(() => network.slowness.delete(fault.node), fault.ms);
    case 'markers slow':
      cluster.markerPatience = fault.factor;
      return void setTimeout(() => (cluster.markerPatience = 1), fault.ms);
  }
}
