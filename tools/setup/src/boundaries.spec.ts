import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

interface Linted {
  readonly fixture: string;
  readonly breaks: string;
  readonly broken: readonly string[];
}

const linted = JSON.parse(
  execFileSync(process.execPath, [join(__dirname, '../eslint/lint-fixtures.mjs')], {
    encoding: 'utf8',
    env: { ...process.env, NX_DAEMON: 'false' },
  }),
) as Linted[];
const forbidden = linted.filter(({ breaks }) => breaks !== 'nothing').map((each) => [each.fixture, each] as const);
const allowed = linted.filter(({ breaks }) => breaks === 'nothing').map((each) => [each.fixture, each] as const);

describe('a ban of the house', () => {
  it.each(forbidden)('stops %s by its own rule and no other', (_, { breaks, broken }) => {
    expect(broken).toEqual([breaks]);
  });

  it.each(allowed)('lets %s pass', (_, { broken }) => {
    expect(broken).toEqual([]);
  });
});
