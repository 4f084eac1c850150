import { sleep, systemClock } from '../../kit/index.ts'
import { endsOf, partitionRanges, sizesByTopic } from '../cluster-facts.ts'
import { defineCommand } from '../command.ts'
import { clusterInfoText } from '../render/cluster-info.ts'

export const info = defineCommand({
  arguments: {},
  options: { sample: { type: 'duration', default: '1s', about: 'how long rates are measured' } },
  examples: ['millrace info', 'millrace info --sample 2s --json'],

  async run({ sample }, { print, cluster, signal }) {
    const opened = await cluster()
    const { admin } = opened
    const described = await admin.describeCluster()
    const topics = (await admin.describeTopics()).filter(
      ({ isInternal, error }) => !isInternal && !error,
    )
    const groupIds = (await admin.listGroups()).map(({ groupId }) => groupId)
    const groups = await admin.describeGroups(groupIds)
    const sizes = await sizesByTopic(opened)
    const members = groups.flatMap((group) => group.members)

    const before = endsOf(await partitionRanges(opened, topics))
    const startMs = systemClock.monotonicMs()
    await sleep(systemClock, sample, signal)
    const after = endsOf(await partitionRanges(opened, topics))
    const seconds = (systemClock.monotonicMs() - startMs) / 1000

    const facts = {
      origin: opened.origin,
      name: described.clusterId ?? 'unknown',
      plan: opened.origin === 'millrace dev' ? 'embedded' : undefined,
      status: 'available',
      topics: topics.length,
      consumers: members.length,
      applications: new Set(members.map(({ clientId }) => clientId.split(/[-.]/)[0])).size,
      // A topic that was deleted meanwhile takes its messages along.
      messagesPerSecond: Math.max(0, after - before) / seconds,
      groups: groups.length,
      bytes:
        sizes === undefined ? undefined : [...sizes.values()].reduce((sum, one) => sum + one, 0),
      address: opened.brokers.join(', '),
    }
    await print.document({ ...facts, brokers: described.brokers }, () =>
      clusterInfoText(facts, print.isTerminal),
    )
  },
})
