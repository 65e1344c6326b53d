import { svgOf } from './svg.ts';

describe('svgOf', () => {
  const plot = { title: 'a < b', x: 'x', y: 'y', series: [{ name: 'one & two', points: [[0, 1] as const, [4, 3] as const] }] };

  it('draws points at their place between round axis ends, words escaped', () => {
    const svg = svgOf([plot, plot]);
    expect(svg).toContain('points="64,272 472,36"');
    expect(svg).toContain('a &lt; b');
    expect(svg).toContain('one &amp; two');
    expect(svg).toContain('height="640"');
  });

  it('draws a series of one value, and none at all', () => {
    expect(svgOf([{ ...plot, series: [{ name: 'flat', points: [[2, 5]] }] }])).not.toMatch(/NaN|Infinity/);
    expect(svgOf([{ ...plot, series: [] }])).not.toMatch(/NaN|Infinity/);
  });
});
