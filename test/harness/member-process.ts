/**
 * A group member as a process of its own, so that a scenario can kill it. Told by its first argument (JSON:
 * brokers, groupId, topic, commits, sessionTimeoutMs); prints one JSON object a line.
 */
import { openClient } from '../../packages/millrace/src/client/index.ts'
import { collect, type CollectOptions } from './collect.ts'

interface Arguments extends Pick<CollectOptions, 'groupId' | 'topics'> {
  readonly brokers: readonly string[]
  readonly commits: 'always' | 'never'
  readonly sessionTimeoutMs: number
}

const { brokers, ...options } = JSON.parse(process.argv[2] ?? '{}') as Arguments
const client = openClient({ brokers })
const collector = collect(client, {
  ...options,
  heartbeatIntervalMs: 200,
  fetch: { maxWaitMs: 100 },
  onMessage: ({ partition, offset, value }) => say({ partition, offset, value: String(value) }),
})
await collector.member.ready()
say({ ready: true })

process.once('SIGTERM', () => {
  void collector.close().then(() => client.close())
})

function say(fact: object): void {
  process.stdout.write(`${JSON.stringify(fact)}\n`)
}
