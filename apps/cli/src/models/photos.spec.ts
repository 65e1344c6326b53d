import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import jpeg from 'jpeg-js';
import { PNG } from 'pngjs';
import { decodePrediction, encodeSingleObject, header, topicsOf, topicSpecs } from '@sluice/contracts';
import { photoLabels, writePhotoModels } from '@sluice/demo';
import { loadFlow } from '@sluice/service';
import { memoryBus } from '@sluice/streaming';
import { startInProcess } from '../system/in-process.ts';

jest.setTimeout(240_000);

/** The package is no dependency: its networks take 44 MB, and only this test needs them. */
const packageDir = process.env['SLUICE_NSFWJS_DIR'] ?? join(__dirname, '../../../../node_modules/nsfwjs');
const schema = {
  type: 'record',
  name: 'Photo',
  fields: [
    { name: 'bytes', type: 'long' },
    { name: 'photo', type: 'bytes' },
  ],
};
const flowText = `
flow: photos
description: Moderation of images by two networks of other people.
request: { schemas: [photo.avsc], partitions: 1, deadlineMs: 600000 }
labels: [${photoLabels.join(', ')}]
signature: [{ field: bytes, kind: number, scale: log, min: 0, max: 1000000 }]
tiers:
  - { name: fast, model: photos-fast }
  - { name: heavy, model: photos-heavy }
rules:
  - { name: small, when: bytes < 1000, tier: fast, because: there is little in a small file }
  - { name: large, when: bytes >= 1000, tier: heavy, because: there is much in a large file }
target: {}
controller: { warmUp: 0 }
`;

const flat = { width: 90, height: 60, data: Buffer.alloc(90 * 60 * 4, Buffer.of(90, 160, 220, 255)) };
const noisy = new PNG({ width: 40, height: 40 });
noisy.data.forEach((_, i) => (noisy.data[i] = i % 4 === 3 ? 255 : (i * 7919) % 251));
const photos = [Buffer.from(jpeg.encode(flat, 80).data), PNG.sync.write(Object.assign(new PNG(flat), flat)), PNG.sync.write(noisy)];

describe('two networks of other people', () => {
  (existsSync(packageDir) ? it : it.skip)(
    'serve as two tiers of one flow from manifests alone (needs the npm package nsfwjs: npm install --no-save nsfwjs@4.4.0, or SLUICE_NSFWJS_DIR)',
    async () => {
      const root = await mkdtemp(join(tmpdir(), 'sluice-photos-'));
      await writePhotoModels(packageDir, root);
      await writeFile(join(root, 'photo.avsc'), JSON.stringify(schema));
      await writeFile(join(root, 'flow.yaml'), flowText);
      const files = await loadFlow(join(root, 'flow.yaml'));
      const bus = memoryBus();
      await bus.ensureTopics(topicSpecs(files.flow));
      const system = await startInProcess({ files, models: root, runDir: root, drills: new Map(), onStep: () => undefined }, bus);
      const publisher = await bus.openPublisher();
      await publisher.publish(
        photos.map((photo, i) => ({
          topic: topicsOf('photos').requests,
          key: null,
          value: encodeSingleObject(schema, { bytes: photo.length, photo }),
          headers: { [header.ceId]: `photo-${i}` },
        })),
      );
      await bus.settle();
      const predictions = (await bus.readAll([topicsOf('photos').predictions])).map((record) => decodePrediction(record.value!));
      expect(predictions.map(({ id }) => id).sort()).toEqual(['photo-0', 'photo-1', 'photo-2']);
      const served = predictions.flatMap(({ answers }) => answers.map(({ model, version }) => `${model}@${version}`));
      expect(new Set(served)).toEqual(new Set(['photos-fast@4.4.0', 'photos-heavy@4.4.0']));
      for (const { label, confidence } of predictions)
        expect([photoLabels.includes(label as 'neutral'), confidence > 0.2]).toEqual([true, true]);
      await system.close();
      await bus.close();
      await rm(root, { recursive: true });
    },
  );
});
