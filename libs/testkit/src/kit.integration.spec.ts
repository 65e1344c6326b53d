import { kitSuite } from '../testing/suite.ts';

describe('a kit on a real broker', () => kitSuite('auto', 'java'));
