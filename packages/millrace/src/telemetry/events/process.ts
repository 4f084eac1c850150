import { defineEvent } from '../define-event.ts'

export const processEvents = {
  healthListening: defineEvent<{ readonly host: string; readonly port: number }>(
    'health.listening',
    'The health endpoint answers.',
  ),
  controlUnavailable: defineEvent<{ readonly dataFolder: string; readonly error: unknown }>(
    'control.unavailable',
    'The control socket could not be opened; the worker runs without it.',
  ),
  childEnded: defineEvent<{
    readonly name: string
    readonly code: number | null
    readonly signal: string | null
    readonly lastedMs: number
    /** Undefined: it stays away. */
    readonly restartInMs: number | undefined
  }>('child.ended', 'A worker process of a parent has ended.'),
  childKilled: defineEvent<{
    readonly name: string
    readonly pid: number
    readonly silentMs: number
  }>('child.killed', 'A worker process told its parent nothing for too long and was killed.'),
  childKiller: defineEvent<{
    readonly name: string
    readonly group: string
    readonly topic: string
    readonly partition: number
    readonly offset: number
    readonly crashes: number
  }>('child.killer', 'A message has ended so many processes that it is set aside.'),
  childTooLarge: defineEvent<{
    readonly name: string
    readonly memoryBytes: number
    readonly limitBytes: number
  }>('child.too-large', 'A worker process went over its memory limit and is started anew.'),
  topicMatched: defineEvent<{
    readonly group: string
    readonly pattern: string
    readonly topic: string
  }>('topic.matched', 'A pattern has found a topic, which its consumer reads from now on.'),
  topicsDiffer: defineEvent<{ readonly differences: readonly string[] }>(
    'topics.differ',
    'Declared topics were compared with the clusters at start, and are not the same.',
  ),
  topicsUnchecked: defineEvent<{ readonly error: unknown }>(
    'topics.unchecked',
    'Declared topics could not be compared with the clusters.',
  ),
  lagMeasured: defineEvent<{
    readonly group: string
    readonly groupId: string
    readonly topic: string
    readonly partition: number
    readonly committed: number
    readonly end: number
    readonly lag: number
  }>(
    'lag.measured',
    'The brokers were asked how far an owned partition is behind; its topic by the name on the wire.',
  ),
  lagUnknown: defineEvent<{ readonly groupId: string; readonly error: unknown }>(
    'lag.unknown',
    'The brokers could not be asked how far a group is behind; its last known lag stands.',
  ),
}
