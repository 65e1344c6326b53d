import fc from 'fast-check';
import { FrameHeads, type FrameHead } from './frame-heads.ts';

function frame({ apiKey, clientId }: FrameHead, body: Uint8Array): Buffer {
  const id = clientId === null ? Buffer.alloc(0) : Buffer.from(clientId);
  const head = Buffer.alloc(14);
  head.writeInt32BE(10 + id.length + body.length, 0);
  head.writeInt16BE(apiKey, 4);
  head.writeInt16BE(clientId === null ? -1 : id.length, 12);
  return Buffer.concat([head, id, body]);
}

describe('frame heads', () => {
  const frames = fc.array(
    fc.record({
      head: fc.record({ apiKey: fc.integer({ min: 0, max: 80 }), clientId: fc.option(fc.string({ maxLength: 60 })) }),
      body: fc.uint8Array({ maxLength: 2000 }),
    }),
    { maxLength: 8 },
  );

  it('are found in order, each once, however the bytes are cut into pieces', () => {
    fc.assert(
      fc.property(frames, fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 20 }), (sent, cuts) => {
        const bytes = Buffer.concat(sent.map(({ head, body }) => frame(head, body)));
        const found: FrameHead[] = [];
        const heads = new FrameHeads('request', (head) => found.push(head));
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const next = at + cuts[turn % cuts.length]!;
          heads.read(bytes.subarray(at, next));
          at = next;
        }
        expect(found).toEqual(sent.map(({ head }) => head));
      }),
    );
  });
});
