/** Feedback as a part: wired by its own process, or by one that runs the whole system. */
export { startFeedback, type Feedback, type FeedbackOptions } from './app.ts';
export { GatherProcessor } from './gather.ts';
export { LearnProcessor } from './learn.ts';
export { feedbackTopology } from './topology.ts';
export { observeFeedback } from './metrics.ts';
