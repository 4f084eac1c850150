import { systemClock } from '../../../kit/index.ts'
import { partitionRanges, placesNamed } from '../../cluster-facts.ts'
import { defineCommand } from '../../command.ts'
import { confirmDestruction } from '../../confirm.ts'
import { exitCodes } from '../../exit-code.ts'
import { parsePlace } from '../../parse-places.ts'
import { parseBefore } from '../../parse-position.ts'
import { columns } from '../../text.ts'

export const topicsTrim = defineCommand({
  arguments: { topics: { about: 'a topic, or partitions of it, as orders:0,3-5', isList: true } },
  options: {
    before: { type: 'text', about: 'everything before this offset or time goes; end: all of it' },
    yes: { type: 'flag', short: 'y', about: 'go ahead' },
    dryRun: { type: 'flag', about: 'only show what would be lost' },
  },
  examples: [
    'millrace topics trim orders --before "7d ago" --dry-run',
    'millrace topics trim orders:0 --before 42 --yes',
  ],

  async run({ topics, before, yes, dryRun }, { print, cluster }) {
    const limit = parseBefore('--before', before, systemClock.now())
    const places = topics.map(parsePlace)
    const opened = await cluster()
    const { admin } = opened
    const ranges = await partitionRanges(opened, await placesNamed(opened, places))
    const times =
      typeof limit === 'object'
        ? await admin.listOffsets(
            ranges.map(({ topic, partition }) => ({ topic, partition, at: limit.timestampMs })),
          )
        : []
    const plan = ranges.map(({ topic, partition, start, end }, index) => {
      const found = times[index]
      if (found?.error) throw found.error
      // A time after the last message is the end.
      const atTime = found === undefined || found.offset < 0 ? end : found.offset
      const asked = typeof limit === 'number' ? limit : limit === 'end' ? end : atTime
      const next = Math.min(end, Math.max(start, asked))
      return { topic, partition, start, before: next, lost: next - start }
    })
    const lost = plan.reduce((sum, row) => sum + row.lost, 0)
    const table = (): string => columns(plan)
    if (dryRun === true) {
      await print.document(plan, table)
      return exitCodes.done
    }
    const what = `deleting ${lost} messages of ${topics.join(', ')}`
    await confirmDestruction({ what, names: topics, isConfirmed: yes === true, print })
    const results = await admin.deleteRecords(plan.filter((row) => row.lost > 0))
    const failed = results.filter(({ error }) => error)
    for (const { error } of failed) print.fail(error)
    await print.document(plan, table)
    return failed.length > 0 ? exitCodes.failed : exitCodes.done
  },
})
