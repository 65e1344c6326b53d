/** A nominal type over a primitive: two brands of the same primitive cannot be mixed by accident. */
export type Brand<T, Name extends string> = T & { readonly __brand: Name };

/** Milliseconds since the Unix epoch. Event time, routing time and deadlines all use it. */
export type EpochMs = number;
/** A length of time in milliseconds. */
export type Millis = number;
/** Identifies one request event within its flow; `ce_id` where the producer sent one, else `topic/partition/offset`. */
export type EventId = string;
/** Number of examples the learner had folded when it published a policy; grows monotonically. */
export type PolicyVersion = number;
