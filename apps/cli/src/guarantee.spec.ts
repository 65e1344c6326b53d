import { parseFlow } from '@sluice/domain';
import { guaranteeOf, renderGuarantee } from './guarantee.ts';

const flowOf = (controller: object) =>
  parseFlow({
    flow: 'mail',
    description: 'Sorts mail.',
    request: { schemas: ['mail.avsc'] },
    labels: ['ham', 'spam'],
    signature: [{ field: 'size', kind: 'number', min: 0, max: 1 }],
    tiers: ['fast', 'heavy'].map((name) => ({ name, model: name })),
    target: {},
    controller,
  });

describe('sluice guarantee', () => {
  it('gives the two numbers of docs/loss-bound.md for the default settings', () => {
    const promised = guaranteeOf(flowOf({}), { events: 100_000, delay: 500 });
    expect(promised.excess).toBeCloseTo(0.00727, 5);
    expect(promised.sampling).toBeCloseTo(0.00387, 5);
    expect(renderGuarantee(flowOf({}), promised)).toContain('1.00 % (declared) + 0.73 % (excess) = 1.73 %');
  });

  it('promises less to short streams, and to late truth', () => {
    const flow = flowOf({});
    const { excess } = guaranteeOf(flow, { events: 100_000, delay: 500 });
    expect(guaranteeOf(flow, { events: 20_000, delay: 500 }).excess).toBeCloseTo(5 * excess, 9);
    expect(guaranteeOf(flow, { events: 100_000, delay: 5000 }).excess).toBeGreaterThan(excess);
  });

  it('promises the same of each segment', () => {
    const flow = { ...flowOf({}), target: { ...flowOf({}).target, segments: { by: 'header.tenant', most: 4 } } };
    const words = renderGuarantee(flow, guaranteeOf(flow, { events: 50_000, delay: 1 }));
    expect(words).toContain(
      'Of 50000 events of one segment by header.tenant the same is promised; those beyond the first 4 are one together.',
    );
  });

  it('promises nothing without a controller', () => {
    const flow = flowOf({ enabled: false });
    expect(renderGuarantee(flow, guaranteeOf(flow, { events: 1000, delay: 1 }))).toContain('nothing is promised');
  });
});
