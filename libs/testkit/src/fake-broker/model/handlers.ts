import type { ApiName } from '../protocol/apis.ts';
import { groupHandlers } from './group-handlers.ts';
import type { Handler } from './handler.ts';
import { logHandlers } from './log-handlers.ts';
import { transactionHandlers } from './transaction-handlers.ts';

/** What a broker answers, request by request. */
export const handlers: { readonly [N in ApiName]: Handler<N> } = { ...logHandlers, ...groupHandlers, ...transactionHandlers };
