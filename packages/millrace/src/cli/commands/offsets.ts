import { systemClock } from '../../kit/index.ts'
import { partitionRanges, placesNamed } from '../cluster-facts.ts'
import { defineCommand } from '../command.ts'
import { parsePlace } from '../parse-places.ts'
import { parseTime } from '../parse-position.ts'
import { columns } from '../text.ts'

export const offsets = defineCommand({
  arguments: { topics: { about: 'a topic, or partitions of it, as orders:0,3-5', isList: true } },
  options: {
    at: { type: 'text', about: 'also the first offset at or after this time, as "2h ago"' },
  },
  examples: ['millrace offsets orders', 'millrace offsets orders:0-1 --at "2h ago" --json'],

  async run(input, { print, cluster }) {
    const at = input.at === undefined ? undefined : parseTime('--at', input.at, systemClock.now())
    const places = input.topics.map(parsePlace)
    const opened = await cluster()
    const ranges = await partitionRanges(opened, await placesNamed(opened, places))
    const listed =
      at === undefined
        ? []
        : await opened.admin.listOffsets(
            ranges.map(({ topic, partition }) => ({ topic, partition, at })),
          )
    const rows = ranges.map((range, index) => {
      const found = listed[index]
      if (found?.error) throw found.error
      const row = { ...range, messages: range.end - range.start }
      // After the last message: what comes next will have the end's offset.
      return found ? { ...row, at: found.offset < 0 ? range.end : found.offset } : row
    })
    await print.document(rows, () => columns(rows))
  },
})
