/** The join of a whole log at once, for whoever holds a running one against it. */
export { batchJoin, toldOf, type Told } from './batch-join.ts';
