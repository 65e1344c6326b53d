import { encodeSingleObject, fingerprintText } from '@sluice/contracts';
import { featureSpec } from '@sluice/domain';
import { envelopeOf } from './envelope.ts';

const schema = {
  type: 'record',
  name: 'Mail',
  fields: [
    { name: 'links', type: ['null', 'int'] },
    { name: 'subject', type: 'string' },
  ],
};
const events = [3, null, -2, 40].map((links) => encodeSingleObject(schema, { links, subject: 's' }));
const samples = { count: events.length, value: (index: number) => events[index]!, key: () => null, label: () => 0 };

it('the envelope of a tier holds the range of each number it reads, nulls left out, and the schema', () => {
  const features = [
    { field: 'links', kind: 'number', min: 0, max: 1 },
    { field: 'subject', kind: 'text' },
  ].map((feature) => featureSpec.parse(feature));
  expect(envelopeOf(samples, schema, features)).toEqual({ schemas: [fingerprintText(schema)], ranges: { links: { min: -2, max: 40 } } });
});
