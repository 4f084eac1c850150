import { defineEvent } from '../define-event.ts'

/** Whose event it is: the consumer and its group. `groupId` is Kafka's, `group` the declared one. */
export interface ConsumerPlace {
  readonly group: string
  readonly groupId: string
  readonly consumer: string
  readonly topic: string
  readonly partition: number
}

/** One handler call. */
export interface JobFacts extends ConsumerPlace {
  /** Of the first message of the job. */
  readonly offset: number
  readonly messages: number
  /** From 1. */
  readonly attempt: number
}

export const appEvents = {
  appInitialized: defineEvent<{ readonly clientId: string }>(
    'app.initialized',
    'The application passed validation; nothing is connected yet.',
  ),
  appState: defineEvent<{
    readonly state: string
    readonly before: string
    readonly pid: number
  }>('app.state', 'The worker went to another state.'),
  appSupervising: defineEvent<{ readonly pid: number }>(
    'app.supervising',
    'The parent of a swarm watches its workers.',
  ),
  appQuieting: defineEvent<{ readonly pid: number }>(
    'app.quieting',
    'The worker finishes what is in hand and takes no more.',
  ),
  appQuiet: defineEvent<{ readonly pid: number }>(
    'app.quiet',
    'Nothing is in hand; the worker keeps its partitions.',
  ),
  appStopping: defineEvent<{ readonly pid: number }>(
    'app.stopping',
    'A stop has begun, asked for or after a critical error.',
  ),
  appTerminated: defineEvent<{ readonly pid: number }>(
    'app.terminated',
    'The worker ended without having stopped in good order.',
  ),
  appRunning: defineEvent<{
    readonly pid: number
    readonly groups: readonly string[]
    readonly topics: readonly string[]
    readonly brokers: readonly string[]
  }>('app.running', 'The worker has joined its groups, or goes on trying with the brokers away.'),
  appStopped: defineEvent<{
    readonly pid: number
    readonly durationMs: number
    readonly exitCode: number
  }>('app.stopped', 'The worker has stopped and released everything.'),
  metricsListening: defineEvent<{ readonly address: string }>(
    'metrics.listening',
    'GET /metrics answers on its own port.',
  ),
  appForced: defineEvent<{ readonly running: readonly string[]; readonly error: Error }>(
    'app.forced',
    'The stop took longer than the shutdown timeout, or was asked for twice.',
  ),
  processSignal: defineEvent<{ readonly signal: string; readonly action: string }>(
    'process.signal',
    'The process received a signal that the worker handles.',
  ),
  processLoopDelay: defineEvent<{
    readonly delayMs: number
    readonly jobs: readonly string[]
    readonly isGrave: boolean
  }>(
    'process.loop-delay',
    'The event loop was blocked for more than a second; the running jobs are named.',
  ),
  pollBefore: defineEvent<ConsumerPlace>('poll.before', 'A poll cycle of a partition begins.'),
  pollAfter: defineEvent<ConsumerPlace & { readonly messages: number }>(
    'poll.after',
    'A poll cycle of a partition ended.',
  ),
  messageDecoded: defineEvent<{
    readonly topic: string
    readonly partition: number
    readonly offset: number
    readonly durationMs: number
  }>('message.decoded', 'The value of a message was touched for the first time.'),
  jobStarted: defineEvent<JobFacts>('job.started', 'A handler is called.'),
  jobFinished: defineEvent<
    JobFacts & {
      readonly durationMs: number
      readonly result: 'done' | 'failed' | 'dropped'
      /** From the first message's timestamp to the end of the job. */
      readonly timeLagMs: number
      /** Messages of the partition that are not finished, those of this job included. */
      readonly lag: number
    }
  >(
    'job.finished',
    'A handler has settled, and what it sent is acknowledged. `dropped`: after its partition was gone.',
  ),
  jobSlow: defineEvent<JobFacts & { readonly durationMs: number }>(
    'job.slow',
    'A handler runs for longer than `slowAfter`.',
  ),
  jobStuck: defineEvent<JobFacts & { readonly durationMs: number }>(
    'job.stuck',
    'A handler goes on although its signal was aborted.',
  ),
  consumerFailed: defineEvent<
    JobFacts & {
      /** The error of the handler, as thrown. */
      readonly error: unknown
      /** Milliseconds until the next attempt; undefined when there is none. */
      readonly nextInMs: number | undefined
    }
  >('consumer.failed', 'An attempt failed.'),
  consumerRetrying: defineEvent<JobFacts>('consumer.retrying', 'A message is tried again.'),
  consumerSkipped: defineEvent<
    ConsumerPlace & { readonly offset: number; readonly reason: string }
  >('consumer.skipped', 'A message was finished without being handled, as declared or returned.'),
  partitionPaused: defineEvent<
    ConsumerPlace & {
      readonly offset: number
      readonly reason: string
      readonly forMs: number | undefined
    }
  >('partition.paused', 'A partition takes no messages for a while.'),
  partitionResumed: defineEvent<
    ConsumerPlace & {
      /** How long it was paused; 0 when it was blocked only. */
      readonly pausedMs: number
    }
  >('partition.resumed', 'A paused or blocked partition goes on.'),
  partitionBlocked: defineEvent<
    ConsumerPlace & { readonly offset: number; readonly code: string; readonly error: unknown }
  >(
    'partition.blocked',
    'A partition stays at a message that cannot succeed, until somebody acts.',
  ),
  partitionStuck: defineEvent<
    ConsumerPlace & {
      readonly offset: number
      readonly attempts: number
      /** Since its first failure. */
      readonly forMs: number
    }
  >(
    'partition.stuck',
    'A message has been failing for five minutes, and what it holds with it; told once a message.',
  ),
  partitionSeek: defineEvent<ConsumerPlace & { readonly to: string }>(
    'partition.seek',
    'A consumer moved its position by hand.',
  ),
  partitionEnded: defineEvent<ConsumerPlace & { readonly offset: number }>(
    'partition.ended',
    'The end of a partition was reached.',
  ),
  partitionIdle: defineEvent<ConsumerPlace & { readonly idleMs: number }>(
    'partition.idle',
    'No message came for `idleAfter`.',
  ),
  deadletterSent: defineEvent<
    ConsumerPlace & {
      readonly offset: number
      readonly attempts: number
      readonly reason: string
      readonly error: unknown
      readonly to: { readonly topic: string; readonly partition: number; readonly offset: number }
    }
  >('deadletter.sent', 'A message was acknowledged by the dead letter topic.'),
  deadletterFailed: defineEvent<
    ConsumerPlace & { readonly offset: number; readonly error: unknown; readonly nextInMs: number }
  >('deadletter.failed', 'A dead letter could not be written; the message stays where it is.'),
  deadletterStorm: defineEvent<
    ConsumerPlace & { readonly letters: number; readonly pauseMs: number }
  >('deadletter.storm', 'One partition sent too many dead letters; it pauses.'),
  retryTopicSent: defineEvent<
    ConsumerPlace & {
      readonly offset: number
      readonly attempts: number
      readonly error: unknown
      readonly to: { readonly topic: string; readonly partition: number; readonly offset: number }
      readonly nextTryAtMs: number
    }
  >('retry-topic.sent', 'A failing message was moved aside: a retry topic acknowledged it.'),
  retryTopicFailed: defineEvent<
    ConsumerPlace & { readonly offset: number; readonly error: unknown; readonly nextInMs: number }
  >('retry-topic.failed', 'A retry topic took no copy; the message stays where it is.'),
  offsetsMarked: defineEvent<ConsumerPlace & { readonly offset: number }>(
    'offsets.marked',
    'A message counts as finished.',
  ),
  responderResponded: defineEvent<{
    readonly responder: string
    readonly consumer: string | undefined
    readonly topics: Readonly<Record<string, number>>
    readonly data: unknown
  }>('responder.responded', 'A responder has sent everything.'),
  producerEnqueued: defineEvent<{ readonly topic: string; readonly queued: number }>(
    'producer.enqueued',
    'A message was handed over for background delivery.',
  ),
  producerQueueFull: defineEvent<{ readonly topic: string; readonly limit: number }>(
    'producer.queue-full',
    'The background queue refused a message.',
  ),
  producerBackgroundFailed: defineEvent<{
    readonly topic: string
    readonly error: unknown
    readonly messages: number
  }>('producer.background-failed', 'A message of background delivery was given up.'),
  topicsCreated: defineEvent<{ readonly topics: readonly string[] }>(
    'topics.created',
    'Declared topics were created at start (development).',
  ),
  error: defineEvent<{ readonly type: string; readonly error: unknown }>(
    'error',
    'Every error once; `type` is its place.',
  ),
}
