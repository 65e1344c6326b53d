declare module 'kafkajs/src/consumer/batch.js';
declare module 'kafkajs/src/cluster/index.js';
declare module 'kafkajs/src/consumer/filterAbortedMessages.js';
declare module 'kafkajs/src/loggers/index.js';
declare module 'kafkajs/src/consumer/runner.js';
declare module 'kafkajs/src/network/socketFactory.js';
