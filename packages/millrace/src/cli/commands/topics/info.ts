import { sleep, systemClock } from '../../../kit/index.ts'
import type { Cluster } from '../../cluster.ts'
import {
  endsOf,
  messagesIn,
  partitionRanges,
  sizesByTopic,
  topicNamed,
} from '../../cluster-facts.ts'
import { defineCommand } from '../../command.ts'
import { topicInfoText } from '../../render/topic-info.ts'
import { columns } from '../../text.ts'

export const topicsInfo = defineCommand({
  arguments: { topic: { about: 'the topic' } },
  options: {
    partitions: { type: 'flag', about: 'with a table of its partitions' },
    configs: { type: 'flag', about: 'with every setting and where it comes from' },
    sample: { type: 'duration', default: '1s', about: 'how long rates are measured' },
  },
  examples: [
    'millrace topics info orders',
    'millrace topics info orders --partitions --configs --sample 2s',
  ],

  async run(input, { print, cluster, signal }) {
    const opened = await cluster()
    const topic = await topicNamed(opened, input.topic)
    const [before, sizesBefore, configs, groups] = await Promise.all([
      partitionRanges(opened, [topic]),
      sizesByTopic(opened),
      opened.admin.describeConfigs({ topic: topic.name }),
      groupsReading(opened, topic.name),
    ])
    const startMs = systemClock.monotonicMs()
    await sleep(systemClock, input.sample, signal)
    const ranges = await partitionRanges(opened, [topic])
    const sizes = await sizesByTopic(opened)
    const seconds = (systemClock.monotonicMs() - startMs) / 1000
    const grown = (sizes?.get(topic.name) ?? 0) - (sizesBefore?.get(topic.name) ?? 0)
    const valueOf = (name: string): string | undefined =>
      configs.find((config) => config.name === name)?.value ?? undefined
    const retention = valueOf('retention.ms')

    const info = {
      origin: opened.origin,
      name: topic.name,
      messagesInPerSecond: Math.max(0, endsOf(ranges) - endsOf(before)) / seconds,
      // A log that retention shortens meanwhile has not taken less than nothing.
      bytesInPerSecond: sizes === undefined ? undefined : Math.max(0, grown) / seconds,
      partitions: topic.partitions.length,
      replicationFactor: topic.partitions[0]?.replicas.length ?? 0,
      isCompacted: valueOf('cleanup.policy')?.includes('compact') === true,
      retentionMs: retention === undefined ? undefined : Number(retention),
      messages: messagesIn(ranges),
      bytes: sizes?.get(topic.name) ?? (sizes ? 0 : undefined),
      groups,
    }
    const shownConfigs = input.configs === true ? configs : []
    await print.document({ ...info, ranges, configs: shownConfigs }, () =>
      [
        topicInfoText(info, print.isTerminal),
        ...(input.partitions === true ? ['', columns(partitionRows(ranges))] : []),
        ...(input.configs === true
          ? [
              '',
              columns(
                configs.map(({ name, value, source }) => ({
                  setting: name,
                  value: value ?? '',
                  source,
                })),
              ),
            ]
          : []),
      ].join('\n'),
    )
  },
})

function partitionRows(
  ranges: Awaited<ReturnType<typeof partitionRanges>>,
): readonly Record<string, number>[] {
  return ranges.map(({ partition, start, end }) => ({
    partition,
    start,
    end,
    messages: end - start,
  }))
}

/** Groups with a committed offset in the topic. */
async function groupsReading({ admin }: Cluster, topic: string): Promise<readonly string[]> {
  const names: string[] = []
  for (const { groupId } of await admin.listGroups()) {
    const committed = await admin.committedOffsets(groupId)
    if (committed.some((entry) => entry.topic === topic && entry.offset >= 0)) names.push(groupId)
  }
  return names
}
