import hooks from 'kafkajs/src/protocol/recordBatch/hooks.js';
import { decodeBatches } from './decode.ts';
import { encodeProduce, type ProduceRequest } from './produce-request.ts';

/** Puts our reading and writing of record batches in the place of the client's own (patch 007 asks for them). */
Object.assign(hooks, {
  encodeProduce: (request: ProduceRequest) => encodeProduce(request, Date.now()),
  decodeBatches,
});
