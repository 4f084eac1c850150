import { failure } from '../../../errors/index.ts'
import { topicNamed } from '../../cluster-facts.ts'
import { defineCommand } from '../../command.ts'
import { retentionText } from '../../render/topic-info.ts'
import { columns } from '../../text.ts'
import { topicConfigs } from '../../topic-configs.ts'

interface Change {
  readonly setting: string
  readonly before: string
  readonly after: string
}

export const topicsAlter = defineCommand({
  arguments: { topic: { about: 'the topic' } },
  options: {
    retention: { type: 'text', about: 'how long messages are kept: 7d, 24h, or forever' },
    compaction: {
      type: 'text',
      choices: ['on', 'off'],
      about: 'keep the latest message of each key instead',
    },
    partitions: { type: 'number', about: 'so many from now on; messages of a key may move' },
    configs: {
      type: 'list',
      flag: '--set',
      about: "one of Kafka's settings as name=value; may be repeated",
    },
    unset: { type: 'list', about: "back to the broker's default; may be repeated" },
    dryRun: { type: 'flag', about: 'only show what would change' },
  },
  examples: [
    'millrace topics alter orders --retention 30d --dry-run',
    'millrace topics alter orders --retention 30d --partitions 12',
    'millrace topics alter orders --compaction on --unset retention.ms',
  ],

  async run(input, { print, cluster }) {
    const set = topicConfigs({
      retention: input.retention,
      isCompacted: input.compaction === undefined ? undefined : input.compaction === 'on',
      pairs: input.configs,
    })
    const unset = input.unset ?? []
    const hasConfigs = Object.keys(set).length + unset.length > 0
    if (!hasConfigs && input.partitions === undefined)
      throw failure('MR_CLI_USAGE', {
        reason: 'name what to change: --retention, --compaction, --partitions, --set or --unset',
      })
    const opened = await cluster()
    const { admin } = opened
    const topic = await topicNamed(opened, input.topic)
    const validateOnly = input.dryRun === true
    const settings = [...Object.keys(set), ...unset]
    const valuesNow = async (): Promise<ReadonlyMap<string, string>> => {
      const configs = await admin.describeConfigs({ topic: topic.name })
      return new Map(configs.map(({ name, value }) => [name, value ?? '']))
    }

    const before = await valuesNow()
    // Each is checked before the first is applied, so that a fault in one leaves the other alone.
    const widened = [{ name: topic.name, count: input.partitions ?? 0 }]
    const altered = [{ topic: topic.name, set, unset }]
    for (const isCheck of validateOnly ? [true] : [true, false]) {
      const results = [
        ...(hasConfigs ? await admin.alterConfigs(altered, { validateOnly: isCheck }) : []),
        ...(input.partitions === undefined
          ? []
          : await admin.createPartitions(widened, { validateOnly: isCheck })),
      ]
      for (const { error } of results) if (error) throw error
    }
    const after = validateOnly ? undefined : await valuesNow()
    const changes: Change[] = settings.map((setting) => ({
      setting,
      before: shown(setting, before.get(setting)),
      after: shown(setting, after ? after.get(setting) : (set[setting] ?? 'the default')),
    }))
    if (input.partitions !== undefined)
      changes.push({
        setting: 'partitions',
        before: String(topic.partitions.length),
        after: String(input.partitions),
      })
    await print.document({ topic: topic.name, executed: !validateOnly, changes }, () =>
      columns(changes.map((change) => ({ ...change }))),
    )
    if (input.partitions !== undefined)
      print.talk('New messages of a key may go to another partition than its old ones.')
    if (input.compaction === 'off') {
      const ms = Number(set['retention.ms'] ?? (after ?? before).get('retention.ms'))
      print.talk(`Messages are kept by time again: ${retentionText(ms)}.`)
    }
  },
})

function shown(setting: string, value: string | undefined): string {
  const isTime = setting === 'retention.ms' && /^-?\d+$/.test(value ?? '')
  return isTime ? `${value} (${retentionText(Number(value))})` : (value ?? '')
}
