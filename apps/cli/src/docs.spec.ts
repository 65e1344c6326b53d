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

describe('docs/guarantees.md', () => {
  const rows = [...readFileSync(join(docs, 'guarantees.md'), 'utf8').matchAll(/\| \[([^\]]+)\]\(([^)]+\.spec\.ts)\)/g)];

  it('names a test for every promise', () => {
    const promises = readFileSync(join(docs, 'guarantees.md'), 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('| ') && !line.startsWith('| promise') && !line.startsWith('| ---'));
    expect(rows).toHaveLength(promises.length);
    expect(rows.length).toBeGreaterThan(15);
  });

  it.each(rows.map(([, title, file]) => [title!, file!]))('"%s" is a test of %s', (title, file) => {
    expect(readFileSync(join(docs, file), 'utf8')).toContain(`'${title.replaceAll("'", "\\'")}'`);
  });
});
