import { formatSize } from '../../../kit/index.ts'
import { messagesIn, partitionRanges, sizesByTopic } from '../../cluster-facts.ts'
import { defineCommand } from '../../command.ts'
import { parsePattern } from '../../parse-pattern.ts'
import { columns } from '../../text.ts'

export const topicsList = defineCommand({
  arguments: {},
  options: {
    internal: { type: 'flag', about: 'with the topics that Kafka keeps for itself' },
    match: { type: 'text', about: 'only names that match this regular expression' },
  },
  examples: ['millrace topics list', 'millrace topics list --match "^order" --json'],

  async run({ internal, match }, { print, cluster }) {
    const opened = await cluster()
    const pattern = match === undefined ? undefined : parsePattern('--match', match)
    const topics = (await opened.admin.describeTopics())
      .filter(({ isInternal, error }) => (internal === true || !isInternal) && !error)
      .filter(({ name }) => pattern?.test(name) ?? true)
    const ranges = Map.groupBy(await partitionRanges(opened, topics), ({ topic }) => topic)
    const sizes = await sizesByTopic(opened)
    const rows = topics.map(({ name, partitions }) => ({
      topic: name,
      partitions: partitions.length,
      messages: messagesIn(ranges.get(name) ?? []),
      ...(sizes ? { bytes: sizes.get(name) ?? 0 } : {}),
    }))
    const shown = rows.map(({ bytes, ...row }) =>
      bytes === undefined ? row : { ...row, size: formatSize(bytes) },
    )
    await print.document(
      rows,
      () => columns(shown) || 'No topics. `millrace topics create NAME` makes one.',
    )
  },
})
