import { encodePolicy } from '@sluice/contracts';
import fc from 'fast-check';
import { Lead } from './lead.ts';
import { PolicyGuard } from './policy-guard.ts';
import { sampleFlow, samplePolicy, signatureWidth } from './testing/sample.ts';

const sample = samplePolicy({ fast: [0.04, 0.001], standard: [0.005, 0.005] });
const maxLead = 200;

function leadOf(controller: { readonly enabled?: boolean } = {}) {
  const flow = sampleFlow(undefined, { controller: { maxLead, ...controller }, request: { ...sampleFlow().request, partitions: 2 } });
  const guard = new PolicyGuard({ flow, signatureWidth });
  let version = sample.version;
  const hear = (heard: readonly number[], at: number) =>
    guard.hear('mail', { value: encodePolicy({ ...sample, version: version++, heard }), at }, at);
  return { lead: new Lead(flow, guard), hear };
}

const at = (partition: number, offset: number) => ({ partition, offset });

describe('the lead of the router over the learner', () => {
  it('is an even share of what is declared for each partition, counted from the newest request heard of', () => {
    const { lead, hear } = leadOf();
    hear([1_000, 50], 0);
    expect(lead.waitsUntil(at(0, 1_099), 0)).toBe(0);
    expect(lead.waitsUntil(at(0, 1_100), 0)).toBeGreaterThan(0);
    expect(lead.waitsUntil(at(1, 149), 0)).toBe(0);
    expect(lead.waitsUntil(at(1, 150), 0)).toBeGreaterThan(0);
    hear([1_001, 50], 10);
    expect(lead.waitsUntil(at(0, 1_100), 10)).toBe(0);
  });

  it('counts from where the partition was taken over while nothing was heard of it', () => {
    const { lead, hear } = leadOf();
    hear([], 0);
    lead.inForce(at(0, 5_000), 0);
    expect(lead.waitsUntil(at(0, 5_099), 0)).toBe(0);
    expect(lead.waitsUntil(at(0, 5_100), 0)).toBeGreaterThan(0);
  });

  it('shows how many requests were decided ahead', () => {
    const { lead, hear } = leadOf();
    hear([1_000, 1_000], 0);
    lead.inForce(at(0, 1_000), 0);
    lead.committed(at(0, 1_039), 40);
    lead.inForce(at(1, 1_002), 0);
    lead.committed(at(1, 1_004), 3);
    lead.waitsUntil(at(0, 1_090), 0);
    expect(lead.requests).toBe(45);
    hear([1_040, 1_003], 1);
    expect(lead.requests).toBe(3);
    hear([1_040, 1_005], 1);
    expect(lead.requests).toBe(0);
  });

  it('does not count what was refused or left out: there is nothing to hear of it', () => {
    const { lead, hear } = leadOf();
    hear([1_000, 0], 0);
    for (let from = 1_000; from < 6_000; from += 50) {
      for (const offset of [from, from + 49]) expect(lead.waitsUntil(at(0, offset), 0)).toBe(0);
      lead.inForce(at(0, from), 0);
      lead.committed(at(0, from + 49), from < 1_500 ? 5 : 0);
    }
    expect(lead.requests).toBe(50);
  });

  it('counts all that a process before it may have decided where it takes a partition over', () => {
    const { lead, hear } = leadOf();
    hear([1_000, 0], 0);
    lead.inForce(at(0, 1_000), 0);
    lead.committed(at(0, 1_049), 0);
    lead.takeOver(0);
    expect(lead.waitsUntil(at(0, 1_099), 0)).toBe(0);
    expect(lead.waitsUntil(at(0, 1_100), 0)).toBeGreaterThan(0);
    expect(lead.requests).toBe(99);
  });

  it('lets a silent learner keep nobody for more than two seconds: then only heavy serves, until it is heard again', () => {
    const { lead, hear } = leadOf();
    hear([1_000, 0], 0);
    expect(lead.inForce(at(0, 1_099), 500)).toMatchObject({ heavyOnly: false, reason: sample.reason });
    expect(lead.waitsUntil(at(0, 1_100), 2_499)).toBeGreaterThan(2_499);
    expect(lead.waitsUntil(at(0, 1_100), 2_500)).toBe(0);
    expect(lead.inForce(at(0, 1_100), 2_500)).toMatchObject({ heavyOnly: true, reason: 'stale', version: sample.version });
    expect(lead.waitsUntil(at(0, 1_600), 2_501)).toBe(0);
    lead.committed(at(0, 1_600), 501);
    hear([1_601, 0], 3_000);
    expect(lead.inForce(at(0, 1_601), 3_000)).toMatchObject({ heavyOnly: false });
  });

  it('waits on while policies come, however little they know', () => {
    const { lead, hear } = leadOf();
    hear([1_000, 0], 0);
    lead.inForce(at(0, 1_099), 0);
    for (let now = 1_000; now <= 20_000; now += 1_000) {
      hear([1_000, 0], now);
      expect(lead.waitsUntil(at(0, 1_100), now + 999)).toBeGreaterThan(now + 999);
    }
  });

  it('does not matter where the threshold answers to nothing', () => {
    const { lead, hear } = leadOf({ enabled: false });
    hear([0, 0], 0);
    expect(lead.waitsUntil(at(0, 1_000_000), 0)).toBe(0);
    expect(lead.inForce(at(0, 1_000_000), 0).heavyOnly).toBe(false);
  });

  it('never lets a light tier serve a request that is further ahead than declared', () => {
    const step = fc.oneof(fc.record({ requests: fc.nat(150) }), fc.record({ hears: fc.nat(150) }), fc.record({ passes: fc.nat(3_000) }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const { lead, hear } = leadOf();
        let [now, next, heard] = [0, 0, 0];
        hear([0, 0], now);
        for (const { requests = 0, hears = 0, passes = 0 } of steps as { requests?: number; hears?: number; passes?: number }[]) {
          now += passes;
          heard = Math.min(next, heard + hears);
          if (hears > 0) hear([heard, 0], now);
          for (const last = next + requests; next < last && lead.waitsUntil(at(0, next), now) === 0; next++) {
            const { heavyOnly } = lead.inForce(at(0, next), now);
            lead.committed(at(0, next), 1);
            expect(heavyOnly).toBe(next - heard >= maxLead / 2);
          }
        }
      }),
    );
  });
});
