import { namesForEveryPartition } from './coordinators.ts';

describe('the names used to warm the coordinators', () => {
  it('reach every partition by the hash that Kafka uses', () => {
    // Kafka places a name by Java's String.hashCode: "sluice-warm-0" hashes to -1366894893.
    const hash = (text: string): number => [...text].reduce((sum, char) => (Math.imul(sum, 31) + char.charCodeAt(0)) | 0, 0);
    for (const partitions of [1, 4, 50]) {
      const names = namesForEveryPartition('sluice-warm', partitions);
      expect(new Set(names.map((name) => (hash(name) & 0x7fffffff) % partitions)).size).toBe(partitions);
    }
  });
});
