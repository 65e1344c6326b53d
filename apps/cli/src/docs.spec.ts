import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorTable } from '@sluice/domain';
import { generatedDocs } from './docs.ts';

const docs = join(__dirname, '../../../docs');

describe('generated documentation', () => {
  it.each(Object.entries(generatedDocs()))('%s is what `npm run sluice -- docs` writes', (name, text) => {
    expect(readFileSync(join(docs, name), 'utf8')).toBe(text);
  });

  it('lists every code of the error table', () => {
    for (const code of Object.keys(errorTable)) expect(generatedDocs()['errors.md']).toContain(code);
  });
});
