import { compileExtractor, readRequestHeaders, RequestSchemas } from '@sluice/contracts';
import { SluiceError } from '@sluice/domain';
import { loadFlow, type FlowFiles } from '@sluice/service';
import type { Dataset, Samples } from './dataset.ts';
import { encodeSingleObject } from '@sluice/contracts';
import { poisonKinds, strayOutcomes, withPoison } from './poison.ts';
import { requestStream, type StreamItem } from './request-stream.ts';
import { demoFlowFile } from './train.ts';

const event = {
  receivedAt: 0,
  senderDomain: 'a.org',
  bodySize: 9,
  partCount: 1,
  linkCount: 0,
  htmlShare: 0,
  upperShare: 0,
  subject: 'hello',
  body: 'some text',
};
const image = { camera: 'camera-1', brightness: 0.5, coverage: 0.5, pixels: Buffer.alloc(784, 9) };

function toy({ schemas, flow }: FlowFiles): Dataset {
  const value = encodeSingleObject(schemas[0]!, flow.flow === 'mail' ? event : image);
  // Every third request has no key: a duplicate must still meet the partition of its original.
  const stream: Samples = {
    count: 500,
    value: () => value,
    key: (index) => (index % 3 === 0 ? null : Buffer.from(`k${index}`)),
    label: () => 0,
  };
  return { training: stream, stream, ordered: true, name: 'toy', origin: 'toy' };
}

/** What the router would say of an item that is not a duplicate; undefined: nothing is wrong. */
function verdict({ flow, schemas }: FlowFiles, item: StreamItem): string | undefined {
  try {
    const { deadlineMs } = readRequestHeaders(item.headers);
    if (item.value !== null && item.value.length > flow.request.maxBytes) return 'SLUICE_RECORD_TOO_LARGE';
    const { start } = new RequestSchemas(schemas, flow.request.confluentIds).identify(item.value);
    if (deadlineMs === 0) return 'SLUICE_DEADLINE_PAST';
    const extractor = compileExtractor(schemas[0]!, flow.signature, { flags: true });
    extractor.extract(item.value!, start, new Float32Array(extractor.width), 0);
    return undefined;
  } catch (error) {
    if (error instanceof SluiceError) return error.code;
    throw error;
  }
}

describe.each(['mail', 'images'] as const)('withPoison on %s', (name) => {
  it.each([14, 60, 200])('mixes in exactly %i malformed records and leaves the good ones as they were', async (count) => {
    const files = await loadFlow(demoFlowFile(name));
    const good = [...requestStream(files.flow, toy(files), { seed: 1, events: 300 }).items()];
    const mixed = [...withPoison(good, { flow: files.flow, schema: files.schemas[0]!, count, seed: 1, events: 300 })];
    expect(mixed.filter((item) => item.poison)).toHaveLength(count);
    expect(mixed.filter((item) => !item.poison)).toEqual(good);
  });

  it('makes each record wrong in the one way it states', async () => {
    const files = await loadFlow(demoFlowFile(name));
    const good = requestStream(files.flow, toy(files), { seed: 1, events: 300 }).items();
    const mixed = [...withPoison(good, { flow: files.flow, schema: files.schemas[0]!, count: poisonKinds.length, seed: 1, events: 300 })];
    const poisoned = mixed.filter((item) => item.poison);
    expect(new Set(poisoned.map((item) => item.poison!.kind)).size).toBe(poisonKinds.length);
    for (const item of poisoned) {
      const expected = item.poison!.code === 'SLUICE_DUPLICATE_ID' ? undefined : item.poison!.code;
      expect([item.poison!.kind, verdict(files, item)]).toEqual([item.poison!.kind, expected]);
    }
  });

  it('repeats the id of an earlier record with the same key', async () => {
    const files = await loadFlow(demoFlowFile(name));
    const good = requestStream(files.flow, toy(files), { seed: 1, events: 300 }).items();
    const mixed = [...withPoison(good, { flow: files.flow, schema: files.schemas[0]!, count: 140, seed: 1, events: 300 })];
    const duplicates = mixed.flatMap((item, index) => (item.poison?.code === 'SLUICE_DUPLICATE_ID' ? [{ item, index }] : []));
    expect(duplicates).toHaveLength(10);
    for (const { item, index } of duplicates) {
      const original = mixed.findIndex((other) => other.id === item.id);
      expect(original).toBeLessThan(index);
      expect(mixed[original]!.key).toEqual(item.key);
      expect(item.key).not.toBeNull();
    }
  });
});

describe('strayOutcomes', () => {
  it('makes outcomes that no prediction waits for', async () => {
    const { flow } = await loadFlow(demoFlowFile('mail'));
    expect(strayOutcomes(flow, 3, 1).map((stray) => stray.code)).toEqual([
      'SLUICE_OUTCOME_UNMATCHED',
      'SLUICE_OUTCOME_INVALID',
      'SLUICE_OUTCOME_INVALID',
    ]);
  });
});
