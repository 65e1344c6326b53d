import { brokerCells } from './cells/brokers.ts';
import type { Cell } from './cells/cell.ts';
import { feedbackCells } from './cells/feedback.ts';
import { loadCells } from './cells/load.ts';
import { processCells } from './cells/processes.ts';
import { topicCells } from './cells/topics.ts';

/** Every fault that is injected on real brokers. */
export const cells: readonly Cell[] = [...processCells, ...topicCells, ...feedbackCells, ...loadCells, ...brokerCells];
