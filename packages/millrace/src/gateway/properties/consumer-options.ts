import { cooperativeSticky, range, type Assignor, type GroupOptions } from '../../client/index.ts'
import { ReplyError } from '../reply.ts'
import type { PropertyValues } from '../settings.ts'
import { propertyFault, sectionFaults } from './check.ts'

/** What a consumer's properties mean here. */
export interface ConsumerOptions {
  readonly group: Pick<
    GroupOptions,
    | 'assignors'
    | 'fetch'
    | 'heartbeatIntervalMs'
    | 'instanceId'
    | 'isolation'
    | 'outOfRange'
    | 'sessionTimeoutMs'
    | 'start'
  >
  readonly autoCommitMs: number
  readonly maxPollMs: number
  /** Known to librdkafka and without a meaning here. */
  readonly ignored: readonly string[]
}

/**
 * How often a member asks whether its group changes, unless told: soon enough that a consumer that comes has its share
 * within three seconds.
 */
const heartbeatByDefaultMs = 2000

/** Prefetched bytes of one consumer. */
const bufferedBytes = 1024 * 1024

/** Decided by the gateway, whatever is asked: acknowledgements are what is stored and committed. */
const fixed = new Set(['enable.auto.commit', 'enable.auto.offset.store', 'group.id', 'client.id'])
const falseWords = ['false', 'f', '0']
const trueWords = ['true', 't', '1']
const meant = new Set([
  'auto.commit.interval.ms',
  'auto.offset.reset',
  'bootstrap.servers',
  'fetch.max.bytes',
  'fetch.message.max.bytes',
  'fetch.min.bytes',
  'fetch.wait.max.ms',
  'group.instance.id',
  'heartbeat.interval.ms',
  'isolation.level',
  'max.partition.fetch.bytes',
  'max.poll.interval.ms',
  'metadata.broker.list',
  'partition.assignment.strategy',
  'session.timeout.ms',
])

const starts = {
  smallest: 'earliest',
  earliest: 'earliest',
  beginning: 'earliest',
  largest: 'latest',
  latest: 'latest',
  end: 'latest',
  error: 'fail',
} as const

/**
 * The options of a consumer out of its properties.
 * @throws ReplyError with the reason, for a property that librdkafka would refuse and for sets that cannot go together
 */
export function consumerOptions(values: PropertyValues): ConsumerOptions {
  for (const [name, value] of Object.entries(values)) {
    const fault = propertyFault(name, String(value))
    if (fault !== undefined) throw new ReplyError(fault)
  }
  const text = (...names: readonly string[]): string | undefined => {
    const name = names.find((one) => values[one] !== undefined)
    return name === undefined ? undefined : String(values[name])
  }
  const number = (...names: readonly string[]): number | undefined => {
    const value = text(...names)
    return value === undefined ? undefined : Number(value)
  }
  const sessionTimeoutMs = number('session.timeout.ms') ?? 45_000
  const heartbeatMs = number('heartbeat.interval.ms')
  const maxPollMs = number('max.poll.interval.ms') ?? 300_000
  if (maxPollMs < sessionTimeoutMs)
    throw new ReplyError('`max.poll.interval.ms`must be >= `session.timeout.ms`')
  const reset =
    starts[(text('auto.offset.reset') ?? 'largest').toLowerCase() as keyof typeof starts]
  const instanceId = text('group.instance.id')
  return {
    group: {
      sessionTimeoutMs,
      heartbeatIntervalMs: Math.max(
        1,
        Math.min(heartbeatMs ?? heartbeatByDefaultMs, Math.floor(sessionTimeoutMs / 3)),
      ),
      start: reset,
      outOfRange: reset === 'fail' ? 'fail' : reset,
      isolation:
        text('isolation.level')?.toLowerCase() === 'read_uncommitted'
          ? 'read_uncommitted'
          : 'read_committed',
      assignors: assignorsOf(text('partition.assignment.strategy')),
      ...(instanceId === undefined || instanceId === '' ? {} : { instanceId }),
      fetch: {
        bufferedBytes,
        perPartitionBytes: Math.min(
          bufferedBytes,
          number('max.partition.fetch.bytes', 'fetch.message.max.bytes') ?? bufferedBytes,
        ),
        maxWaitMs: number('fetch.wait.max.ms') ?? 500,
        minBytes: number('fetch.min.bytes') ?? 1,
        ...(number('fetch.max.bytes') === undefined
          ? {}
          : { maxBytes: number('fetch.max.bytes')! }),
      },
    },
    autoCommitMs: number('auto.commit.interval.ms') ?? 5000,
    maxPollMs,
    ignored: [
      ...Object.keys(values).filter((name) => !meant.has(name) && !fixed.has(name)),
      ...contradictions(values),
    ],
  }
}

/**
 * Everything that is wrong with the gateway's own consumer section: what a consumer is refused for, and, since nobody
 * can correct it later, what it only ignores.
 */
export function consumerSectionFaults(values: PropertyValues): readonly string[] {
  const faults = sectionFaults('consumer', values)
  for (const name of contradictions(values))
    faults.push(
      name === 'enable.auto.commit'
        ? 'consumer: enable.auto.commit must be true: acknowledgements are committed'
        : 'consumer: enable.auto.offset.store must be false: RPUSH acks stores',
    )
  if (faults.length > 0) return faults
  try {
    consumerOptions(values)
    return []
  } catch (error) {
    if (!(error instanceof ReplyError)) throw error
    return [`consumer: ${error.message}`]
  }
}

/** What says otherwise than the gateway does. */
function contradictions(values: PropertyValues): readonly string[] {
  const says = (name: string, words: readonly string[]): readonly string[] =>
    words.includes(String(values[name]).toLowerCase()) ? [name] : []
  return [...says('enable.auto.commit', falseWords), ...says('enable.auto.offset.store', trueWords)]
}

/**
 * What a member offers. Unless told otherwise both that we have: the one that Millrace's workers offer, and the one that
 * librdkafka's consumers do, so that either can be in the group.
 */
function assignorsOf(strategy: string | undefined): readonly Assignor[] {
  if (strategy === undefined) return [cooperativeSticky, range]
  const found = strategy.split(',').flatMap((word) => {
    const name = word.trim()
    return name === 'range' ? [range] : name === 'cooperative-sticky' ? [cooperativeSticky] : []
  })
  if (found.length > 0) return found
  throw new ReplyError(
    `Unsupported partition.assignment.strategy: ${strategy}; there are range and cooperative-sticky`,
  )
}
