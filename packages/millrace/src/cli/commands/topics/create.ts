import { isFailure } from '../../../errors/index.ts'
import { defineCommand } from '../../command.ts'
import { counted } from '../../text.ts'
import { topicConfigs } from '../../topic-configs.ts'

export const topicsCreate = defineCommand({
  arguments: { topic: { about: 'its name: letters, digits, dot, underscore, dash' } },
  options: {
    partitions: { type: 'number', about: "partitions; the broker's default otherwise" },
    replication: { type: 'number', about: "copies; the broker's default otherwise" },
    retention: { type: 'text', about: 'how long messages are kept: 7d, 24h, or forever' },
    compaction: { type: 'flag', about: 'keep the latest message of each key instead' },
    configs: {
      type: 'list',
      flag: '--set',
      about: "one of Kafka's settings as name=value; may be repeated",
    },
    ifNotExists: { type: 'flag', about: 'a topic that exists is fine' },
  },
  examples: [
    'millrace topics create orders --partitions 6 --retention 7d --if-not-exists',
    'millrace topics create users --compaction --set min.cleanable.dirty.ratio=0.1',
  ],

  async run(input, { print, cluster }) {
    const configs = topicConfigs({
      retention: input.retention,
      isCompacted: input.compaction === true ? true : undefined,
      pairs: input.configs,
    })
    const { admin } = await cluster()
    const [result] = await admin.createTopics([
      {
        name: input.topic,
        configs,
        ...(input.partitions === undefined ? {} : { partitions: input.partitions }),
        ...(input.replication === undefined ? {} : { replicas: input.replication }),
      },
    ])
    const isThere =
      isFailure(result?.error) && result.error.context['name'] === 'TOPIC_ALREADY_EXISTS'
    if (isThere && input.ifNotExists === true) {
      await print.document(
        { topic: input.topic, created: false },
        () => `${input.topic} is there already`,
      )
      return
    }
    if (result?.error) throw result.error
    const partitions = result?.partitions ?? -1
    const size = partitions < 0 ? '' : ` with ${counted(partitions, 'partition')}`
    await print.document(
      { topic: input.topic, created: true, ...(partitions < 0 ? {} : { partitions }) },
      () => `Created ${input.topic}${size}`,
    )
  },
})
