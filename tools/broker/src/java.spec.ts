import { javaMajor } from './java.ts';

describe('the release of a Java runtime', () => {
  it.each([
    ['openjdk version "17.0.15" 2025-04-15', 17],
    ['openjdk version "25" 2025-09-16 LTS', 25],
    ['java version "1.8.0_402"', 8],
    ['command not found', undefined],
  ])('is read from %j', (banner, major) => expect(javaMajor(banner)).toBe(major));
});
