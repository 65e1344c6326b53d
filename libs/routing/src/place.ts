import type { Source } from '@sluice/domain';

/** Where a request stands in the request topic. */
export type Place = Pick<Source, 'partition' | 'offset'>;
