import { compileExtractor } from '@sluice/contracts';
import { loadFlow } from '@sluice/service';
import { demoTiers, type DemoFlow } from './tiers.ts';
import { demoFlowFile } from './train.ts';

describe.each(['mail', 'images'] satisfies DemoFlow[])('the flow file of %s', (name) => {
  it('is valid, names the demo tiers from cheap to heavy, and has two partitions', async () => {
    const { flow } = await loadFlow(demoFlowFile(name));
    expect(flow.tiers.map((tier) => tier.model)).toEqual(demoTiers[name].map((tier) => tier.model));
    expect(flow.request.partitions).toBe(2);
  });

  it('has a signature of at most 400 columns that its request schema can give', async () => {
    const { flow, schemas } = await loadFlow(demoFlowFile(name));
    expect(compileExtractor(schemas[0]!, flow.signature, { flags: true }).width).toBeLessThanOrEqual(400);
  });
});
