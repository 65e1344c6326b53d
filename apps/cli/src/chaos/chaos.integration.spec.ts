import { Arena } from './arena.ts';
import { cells } from './cells.ts';
import { runCell } from './run-cell.ts';

jest.setTimeout(240_000);

/** Each cell in its short form; `npm run chaos -- --events 100000` runs them at length. Brokers are the cells' own. */
describe('under faults injected on real brokers', () => {
  const arena = new Arena(() => undefined);
  afterAll(() => arena.close());

  it.each(cells)('loses and doubles nothing, keeps the order, and goes on in time: $name', async (cell) => {
    const result = await runCell(cell, arena, { events: 5_000, rate: 1_000, seed: 1, onStep: () => undefined });
    const { lost, duplicated, orderViolations, unexplained, findings } = result;
    expect({ lost, duplicated, orderViolations, unexplained, findings }).toEqual({
      ...{ lost: 0, duplicated: 0, orderViolations: 0, unexplained: 0 },
      findings: [],
    });
    expect(result.requests).toBeGreaterThanOrEqual(5_000);
    expect(result.predictions + result.deadLetters + result.drops + result.expired).toBe(result.requests);
    expect(result.passed).toBe(true);
  });
});
