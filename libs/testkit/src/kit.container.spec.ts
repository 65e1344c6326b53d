import { kitSuite } from '../testing/suite.ts';

const suite = process.env['SLUICE_NO_CONTAINER'] === undefined ? describe : describe.skip;

suite('a kit on testcontainers', () => kitSuite('container', 'java'));
