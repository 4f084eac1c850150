/**
 * What an application imports from `millrace`: topics, consumers, responders, outcomes, the worker, errors. The client
 * is in `millrace/client`, the embedded broker in `millrace/broker`, the drain in `millrace/drain`, and what tests need in
 * `millrace/testing`.
 */
export * from './app/index.ts'
export * from './errors/index.ts'
export type { Duration, Size } from './kit/index.ts'
